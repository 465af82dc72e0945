"""Holders with their permissions; new PINs."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from central.acts.people import give_pin
from central.admin.base import ChangeAdmin, shown_once
from central.models import Holder, Permission

PINS_AT_ONCE = 50


class PermissionInline(admin.StackedInline):  # type: ignore[type-arg]
    """What a holder may open."""

    model = Permission
    extra = 0
    autocomplete_fields = ["areas", "locks"]


@admin.register(Holder)
class HolderAdmin(ChangeAdmin):
    """People."""

    list_display = ["number", "given_name", "family_name", "category", "unit", "status", "employment_ends"]
    list_filter = ["status", "category", "unit"]
    list_select_related = ["unit"]
    search_fields = ["=number", "given_name", "family_name"]
    inlines = [PermissionInline]
    actions = ["give_new_pin"]

    @admin.action(description="New PIN (shown once)", permissions=["change"])
    def give_new_pin(self, request: HttpRequest, chosen: QuerySet[Holder]) -> HttpResponse:
        """Each gets a PIN; the old ones end with the next visit of a station to this server."""
        rows = [(str(holder), give_pin(holder)) for holder in chosen.select_related("site")[:PINS_AT_ONCE]]
        return shown_once(request, "New PINs", rows)
