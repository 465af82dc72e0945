"""The admin page is the server operator's: it knows no sites, so nobody who has a role at one gets in.

Whoever keeps a site going works in the office, where each role reaches its own site only (`central.office.roles`).
"""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest


class OperatorSite(AdminSite):
    """For superusers. Being staff, with whatever permissions, is not enough."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Django's protocol."""
        user = request.user
        return bool(user.is_active and getattr(user, "is_superuser", False))


class OperatorAdminConfig(AdminConfig):
    """Puts it in the place of Django's own."""

    default_site = "central.adminsite.OperatorSite"
