"""Sites, units, areas, locks."""

from django.contrib import admin

from central.admin.base import ChangeAdmin
from central.models import Area, Lock, Site, Unit


@admin.register(Site)
class SiteAdmin(ChangeAdmin):
    """Municipalities."""

    list_display = ["number", "name", "timezone", "permit_days"]

    def get_readonly_fields(self, request, obj=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """A site has a number, and is none's."""
        return ["number"] if obj is not None else []


@admin.register(Unit)
class UnitAdmin(ChangeAdmin):
    """Units."""

    list_display = ["number", "name", "closed", "site"]
    search_fields = ["=number", "name"]


@admin.register(Area)
class AreaAdmin(ChangeAdmin):
    """Areas."""

    list_display = ["number", "name", "site"]
    search_fields = ["=number", "name"]


@admin.register(Lock)
class LockAdmin(ChangeAdmin):
    """Locks."""

    list_display = ["number", "area", "unit", "site"]
    list_filter = ["area"]
    list_select_related = ["area", "unit", "site"]
    search_fields = ["=number"]
