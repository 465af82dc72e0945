"""The admin page, for the server's operator: Django's own; every save is one change, and secrets are shown once."""

from typing import Any

from auditlog.mixins import AuditlogHistoryAdminMixin
from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from central.actions.codes import new_enrolment_code
from central.actions.hand_out import new_provision_code
from central.actions.keys import block_key, set_key_status, unlock_key
from central.actions.moves import move_person
from central.actions.people import end_employment
from central.actions.pins import give_pin
from central.actions.stations import revoke_station
from central.feed import change_and_sign
from central.models import Area, Holder, Key, Lock, LookUp, Membership, Permission, Site, Station, Unit
from central.signing.blocklists import BlocklistFull

PINS_AT_ONCE = 50


class EditAdmin(AuditlogHistoryAdminMixin, admin.ModelAdmin):  # type: ignore[misc,type-arg]
    """Every request that may write is one change: what it makes outdated is signed at its end."""

    numbered = True
    show_full_result_count = False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Django's view, in one change."""
        return self._in_edit(super().changeform_view, request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Django's view (actions are posted to it), in one change."""
        return self._in_edit(super().changelist_view, request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Django's view, in one change."""
        return self._in_edit(super().delete_view, request, *args, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """Site and number are what records, keys and locks out there know: they never change."""
        fixed = ["site", "number"] if obj is not None and self.numbered else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def _in_edit(self, view: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        try:
            with change_and_sign():
                response = view(request, *args, **kwargs)
                # Rendered inside: a lazy template would ask the database when the transaction is over.
                if isinstance(response, TemplateResponse):
                    response.render()
                return response
        except BlocklistFull as error:
            list(messages.get_messages(request))  # what was done has been undone
            self.message_user(request, f"Nothing is changed: {error}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


def shown_once(request: HttpRequest, title: str, rows: list[tuple[str, str]]) -> HttpResponse:
    """A page with secrets that are never shown again. Not a message: those are kept in a cookie until they are read."""
    response = TemplateResponse(request, "admin/central/shown_once.html", {"title": title, "rows": rows})
    response["Cache-Control"] = "no-store"
    return response


@admin.register(Site)
class SiteAdmin(EditAdmin):
    """Municipalities."""

    list_display = ["number", "name", "timezone", "permit_days", "log_days", "forget_days", "audit_days"]

    def get_readonly_fields(self, request, obj=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """A site has a number, and is none's."""
        return ["number"] if obj is not None else []

    def has_delete_permission(self, request: HttpRequest, obj: Site | None = None) -> bool:
        """Not one that has stations: its log would be looked through for what is to go with it."""
        has_stations = obj is not None and Station.objects.filter(site=obj).exists()
        return super().has_delete_permission(request, obj) and not has_stations


@admin.register(Unit)
class UnitAdmin(EditAdmin):
    """Units."""

    list_display = ["number", "name", "closed", "site"]
    search_fields = ["=number", "name"]


@admin.register(Area)
class AreaAdmin(EditAdmin):
    """Areas."""

    list_display = ["number", "name", "site"]
    search_fields = ["=number", "name"]


@admin.register(Lock)
class LockAdmin(EditAdmin):
    """Locks."""

    list_display = ["number", "area", "unit", "site"]
    list_filter = ["area"]
    list_select_related = ["area", "unit", "site"]
    search_fields = ["=number"]


class PermissionInline(admin.StackedInline):  # type: ignore[type-arg]
    """What a holder may open."""

    model = Permission
    extra = 0
    autocomplete_fields = ["areas", "locks"]


@admin.register(Holder)
class HolderAdmin(EditAdmin):
    """People."""

    list_display = ["number", "given_name", "family_name", "category", "unit", "status", "employment_ends"]
    list_filter = ["status", "category", "unit"]
    list_select_related = ["unit"]
    search_fields = ["=number", "given_name", "family_name"]
    inlines = [PermissionInline]
    actions = ["give_new_pin"]

    def save_model(self, request: HttpRequest, obj: Holder, form: Any, change: bool) -> None:  # noqa: FBT001
        """Save a person; another unit and an employment that has ended are the same actions as in the office."""
        to, is_moved = obj.unit, change and "unit" in form.changed_data
        if is_moved:
            obj.unit = Unit.objects.get(pk=form.initial["unit"])
        super().save_model(request, obj, form, change)
        if is_moved:
            # Else nobody could reach the key: its unit's coordinators do not see the person, nor the others the key.
            move_person(obj, to, request.user.get_username())
        if "status" in form.changed_data and obj.status == Holder.Status.ENDED:
            end_employment(obj, request.user.get_username())

    def has_delete_permission(self, request: HttpRequest, obj: Holder | None = None) -> bool:
        """Nobody: a number is never used again, and the audit log would keep the name. `forget` takes it out."""
        return False

    @admin.action(description="New PIN (shown once)", permissions=["change"])
    def give_new_pin(self, request: HttpRequest, chosen: QuerySet[Holder]) -> HttpResponse:
        """Give each a new PIN; the old ones end with the next visit of a station to this server."""
        people = chosen.select_related("site", "unit")[:PINS_AT_ONCE]
        rows = [(str(holder), give_pin(holder, request.user.get_username()).pin) for holder in people]
        return shown_once(request, "New PINs", rows)


@admin.register(Station)
class StationAdmin(EditAdmin):
    """Stations."""

    list_display = ["number", "name", "unit", "role", "status", "stolen", "site"]
    list_filter = ["status", "role"]
    list_select_related = ["unit", "site"]
    actions = ["give_enrolment_code"]

    def save_model(self, request: HttpRequest, obj: Station, form: Any, change: bool) -> None:  # noqa: FBT001
        """One that is set to be stolen is revoked by the same action as in the office."""
        super().save_model(request, obj, form, change)
        if "stolen" in form.changed_data and obj.stolen:
            revoke_station(obj, request.user.get_username())

    def has_delete_permission(self, request: HttpRequest, obj: Station | None = None) -> bool:
        """Not one that was enrolled: the log names it, and its number is never another station's."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.public_key is None)

    @admin.action(description="New enrolment code (shown once)", permissions=["change"])
    def give_enrolment_code(self, request: HttpRequest, chosen: QuerySet[Station]) -> HttpResponse:
        """Codes for 15 minutes."""
        return shown_once(
            request, "Enrolment codes, good for 15 minutes", [(str(s), new_enrolment_code(s)) for s in chosen]
        )


@admin.register(Key)
class KeyAdmin(EditAdmin):
    """Keys."""

    list_display = ["number", "kind", "unit", "holder", "status", "locked", "site"]
    list_filter = ["status", "kind", "unit"]
    list_select_related = ["unit", "holder", "site"]
    search_fields = ["=number"]
    actions = ["block", "unlock", "give_provision_code"]

    def save_model(self, request: HttpRequest, obj: Key, form: Any, change: bool) -> None:  # noqa: FBT001
        """One that is set to be blocked, returned or found again is so by the same actions as in the office."""
        super().save_model(request, obj, form, change)
        if "status" in form.changed_data:
            set_key_status(obj, Key.Status(obj.status), request.user.get_username())

    def has_delete_permission(self, request: HttpRequest, obj: Key | None = None) -> bool:
        """Not one that was handed out: its record never ends, and its number is never another key's."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.record is None)

    @admin.display(boolean=True)
    def locked(self, key: Key) -> bool:
        """Whether ten wrong PINs have locked it."""
        return key.is_locked

    def get_readonly_fields(self, request, obj=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """What the record on the key says stays, once it is handed out."""
        handed_out = ["kind", "unit", "holder"] if obj is not None and obj.record else []
        return [*super().get_readonly_fields(request, obj), *handed_out]

    @admin.action(description="Block (lost or stolen)", permissions=["change"])
    def block(self, request: HttpRequest, chosen: QuerySet[Key]) -> None:
        """Block keys that are lost or stolen."""
        for key in chosen:
            block_key(key, request.user.get_username())
        self.message_user(request, f"Blocked: {', '.join(str(key) for key in chosen)}")

    @admin.action(description="Unlock (after ten wrong PINs)", permissions=["change"])
    def unlock(self, request: HttpRequest, chosen: QuerySet[Key]) -> None:
        """Unlock keys that ten wrong PINs locked."""
        for key in chosen:
            unlock_key(key)
        self.message_user(request, f"Unlocked: {', '.join(str(key) for key in chosen)}")

    @admin.action(description="New hand-out code (shown once)", permissions=["change"])
    def give_provision_code(self, request: HttpRequest, chosen: QuerySet[Key]) -> HttpResponse:
        """Codes for 15 minutes."""
        return shown_once(
            request, "Hand-out codes, good for 15 minutes", [(str(key), new_provision_code(key)) for key in chosen]
        )


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who has which role where. Given by ``central manage give_role``: some roles come with a new password."""

    list_display = ["user", "role", "site", "unit"]
    list_filter = ["role", "site"]
    list_select_related = ["user", "site", "unit"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """See above."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """Taken, and another one given."""
        return False


@admin.register(LookUp)
class LookUpAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who read the opening log, and why."""

    list_display = ["at", "who", "site", "about", "number", "cause", "reason"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only look-ups add."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: LookUp | None = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LookUp | None = None) -> bool:
        """Nobody deletes."""
        return False
