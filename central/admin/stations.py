"""Stations and keys: codes, blocking, unlocking."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from central.acts.keys import block, unlock
from central.admin.base import ChangeAdmin, shown_once
from central.codes import new_enrolment_code, new_provision_code
from central.models import Key, Station


@admin.register(Station)
class StationAdmin(ChangeAdmin):
    """Stations."""

    list_display = ["number", "name", "unit", "role", "status", "stolen", "site"]
    list_filter = ["status", "role"]
    list_select_related = ["unit", "site"]
    actions = ["give_enrolment_code"]

    @admin.action(description="New enrolment code (shown once)", permissions=["change"])
    def give_enrolment_code(self, request: HttpRequest, chosen: QuerySet[Station]) -> HttpResponse:
        """Codes for 15 minutes."""
        return shown_once(
            request, "Enrolment codes, good for 15 minutes", [(str(s), new_enrolment_code(s)) for s in chosen]
        )


@admin.register(Key)
class KeyAdmin(ChangeAdmin):
    """Keys."""

    list_display = ["number", "kind", "unit", "holder", "status", "locked", "site"]
    list_filter = ["status", "kind", "unit"]
    list_select_related = ["unit", "holder", "site"]
    search_fields = ["=number"]
    actions = ["block", "unlock", "give_provision_code"]

    @admin.display(boolean=True)
    def locked(self, key: Key) -> bool:
        """Ten wrong PINs."""
        return key.is_locked

    def get_readonly_fields(self, request, obj=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """What the record on the key says stays, once it is handed out."""
        handed_out = ["kind", "unit", "holder"] if obj is not None and obj.record else []
        return [*super().get_readonly_fields(request, obj), *handed_out]

    @admin.action(description="Block (lost or stolen)", permissions=["change"])
    def block(self, request: HttpRequest, chosen: QuerySet[Key]) -> None:
        """On the blocklist of every key and lock."""
        for key in chosen:
            block(key, request.user.get_username())
        self.message_user(request, f"Blocked: {', '.join(str(key) for key in chosen)}")

    @admin.action(description="Unlock (after ten wrong PINs)", permissions=["change"])
    def unlock(self, request: HttpRequest, chosen: QuerySet[Key]) -> None:
        """Stations count from zero again."""
        for key in chosen:
            unlock(key)
        self.message_user(request, f"Unlocked: {', '.join(str(key) for key in chosen)}")

    @admin.action(description="New hand-out code (shown once)", permissions=["change"])
    def give_provision_code(self, request: HttpRequest, chosen: QuerySet[Key]) -> HttpResponse:
        """Codes for 15 minutes."""
        return shown_once(
            request, "Hand-out codes, good for 15 minutes", [(str(key), new_provision_code(key)) for key in chosen]
        )
