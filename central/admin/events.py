"""Events: read only, within a window of days, looked up by exact numbers."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from central.clock import DAY_S, unix_now
from central.models import Event
from central.models.event import OPENING_TYPES

DAYS = {"1": "Today and yesterday", "7": "7 days", "31": "31 days", "400": "All kept"}
DEFAULT_DAYS = 7
COUNT_LIMIT = 2000


class DaysFilter(admin.SimpleListFilter):
    """Without a window, five million rows would be counted and sorted for each page."""

    title = "received"
    parameter_name = "days"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        """The windows."""
        return list(DAYS.items())

    def queryset(self, _request: HttpRequest, rows: QuerySet[Event]) -> QuerySet[Event]:
        """Only what was received within the window."""
        value = self.value()
        days = int(value) if value in DAYS else DEFAULT_DAYS
        return rows.filter(received_at__gte=unix_now() - days * DAY_S)


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than anybody turns pages."""

    @cached_property
    def count(self) -> int:
        """The number of rows, at most COUNT_LIMIT."""
        return len(self.object_list[:COUNT_LIMIT].values_list("pk"))  # type: ignore[attr-defined]


class LogAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Nobody writes or deletes here."""

    list_filter = [DaysFilter, "type"]
    search_fields = ["=lock", "=key", "=holder"]
    search_help_text = "An exact lock, key or holder number"
    list_select_related = ["station"]
    ordering = ["-received_at", "-id"]
    paginator = CappedPaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only stations add."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        """Nobody deletes."""
        return False

    @admin.display(description="at (station's clock)")
    def when(self, event: Event) -> datetime:
        """By the station's or the key's clock."""
        return datetime.fromtimestamp(event.at, UTC)

    @admin.display(description="received")
    def received(self, event: Event) -> datetime:
        """By this server's clock."""
        return datetime.fromtimestamp(event.received_at, UTC)


@admin.register(Event)
class EventAdmin(LogAdmin):
    """What stations report, but for the opening log: that is read in the office, for a stated reason."""

    list_display = ["received", "type", "station", "key", "holder", "lock", "when", "clock"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """Without the entries of keys' logs."""
        return super().get_queryset(request).exclude(type__in=OPENING_TYPES)
