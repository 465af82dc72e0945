"""Django's view of this package, and the admin page in the place of Django's own.

The admin page is the server operator's: it knows no sites, so nobody who has a role at one gets in. Whoever keeps a
site going works in the office, where each role reaches its own site only (`central.doors.table`).
"""

from typing import Any

from django.apps import AppConfig
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.template.response import TemplateResponse


class OperationsConfig(AppConfig):
    """Commands, the admin page, the audit log, the checks."""

    name = "central.operations"
    label = "operations"

    def ready(self) -> None:
        """Have the audit log follow what people and stations change, and the checks run."""
        from central.operations import audit, checks  # noqa: PLC0415  (models exist only now)

        audit.register()
        checks.register()


class OperatorSite(AdminSite):
    """For superusers. Being staff, with whatever permissions, is not enough."""

    site_header = site_title = "Sync stations"
    index_title = "Staff, keys, places, events"

    def has_permission(self, request: HttpRequest) -> bool:
        """Django's protocol."""
        user = request.user
        return bool(user.is_active and getattr(user, "is_superuser", False))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Django's first page, with what the operator has to know at once."""
        from central.operations.checks import warnings  # noqa: PLC0415  (models exist only now)

        for warning in warnings():
            messages.warning(request, f"{warning.msg}. {warning.hint}")
        return super().index(request, extra_context)


class OperatorAdminConfig(AdminConfig):
    """Puts it in the place of Django's own."""

    default_site = "central.operations.apps.OperatorSite"
