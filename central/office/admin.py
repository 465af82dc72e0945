"""Memberships in the admin page: a system administrator gives roles there. What was looked up is read only."""

from django.contrib import admin
from django.http import HttpRequest

from central.office.models import LookUp, Membership


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who has which role where."""

    list_display = ["user", "role", "site", "unit"]
    list_filter = ["role", "site"]
    list_select_related = ["user", "site", "unit"]


@admin.register(LookUp)
class LookUpAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who read the opening log, and why."""

    list_display = ["at", "user", "site", "about", "number", "reason"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only look-ups add."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: LookUp | None = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LookUp | None = None) -> bool:
        """Nobody deletes."""
        return False
