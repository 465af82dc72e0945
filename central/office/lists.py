"""Lists: sorted by a column, cut down to a unit and a status. Both are remembered for each list of each site.

Rows are sorted here and not by the database, which knows no å: the columns of all rows are read (30,000 people: a
tenth of a second), then the objects of one page.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page
from django.db.models import QuerySet
from django.utils.translation import get_language, gettext_lazy

from central.letters import order_of
from central.models import Unit
from central.office.pages import SiteRequest
from central.office.views.answers import number_in, paged

REMEMBERED = ("sort", "unit", "status")
SAID = ("q", *REMEMBERED)
FORGET = "all"
DOWN = "-"
EVERY = "every"
"""As a status: of a list that leaves some out unless they are asked for."""


@dataclass(frozen=True)
class Column:
    """What a list can be sorted by: its name in addresses, its head, and what of a row decides."""

    name: str
    text: Any
    of: Callable[[Any], Any]


@dataclass
class Choice:
    """What somebody wants to see of a list."""

    columns: tuple[Column, ...]
    units: list[Unit]
    statuses: tuple[str, ...]
    usual: str = ""
    """The status of those who are listed when none is asked for."""
    usual_sort: str = ""
    q: str = ""
    sort: str = ""
    unit: int | None = None
    status: str = ""
    heads: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_cut(self) -> bool:
        """Whether something of the list is left out, or it is in another order than its usual one."""
        return bool(self.q or self.sort or self.unit is not None or self.status != self.usual)

    def sorted(self, rows: Iterable[Any]) -> list[Any]:
        """Rows in the chosen order, or the list's usual one; empty ones last."""
        chosen = self.sort or self.usual_sort
        down, name = chosen.startswith(DOWN), chosen.removeprefix(DOWN)
        column = next((column for column in self.columns if column.name == name), None)
        if column is None:
            return list(rows)
        order, of = order_of(get_language() or ""), column.of
        with_value: list[tuple[Any, Any]] = []
        without: list[Any] = []
        for row in rows:
            value = of(row)
            if value in (None, ""):
                without.append(row)
            else:
                with_value.append((order(value) if isinstance(value, str) else value, row))
        with_value.sort(key=itemgetter(0), reverse=down)
        return [*(row for _value, row in with_value), *without]


def choice(
    request: SiteRequest,
    name: str,
    columns: tuple[Column, ...],
    *,
    units: Iterable[Unit] = (),
    statuses: Iterable[str] = (),
    usual: str = "",
    usual_sort: str = "",
) -> Choice:
    """What is asked for of the list with this name: an address that says something says all, another one nothing.

    The latter is shown as it was the last time in this session.
    """
    kept_as, asked = f"list-{request.access.site.pk}-{name}", request.GET
    if FORGET in asked:
        request.session.pop(kept_as, None)
        told: dict[str, str] = {}
    elif any(each in asked for each in SAID):
        told = {each: asked.get(each, "") for each in REMEMBERED}
        if any(each in asked for each in REMEMBERED):
            request.session[kept_as] = told
    else:
        told = request.session.get(kept_as, {})
    ordered = order_of(get_language() or "")
    it = Choice(
        columns,
        sorted(units, key=lambda unit: ordered(unit.name)),
        tuple(statuses),
        usual,
        usual_sort,
        asked.get("q", "").strip(),
    )
    if told.get("sort", "").removeprefix(DOWN) in {column.name for column in columns}:
        it.sort = told["sort"]
    unit = number_in(told.get("unit", ""))
    it.unit = unit if unit in {each.number for each in it.units} else None
    it.status = told.get("status", "") if told.get("status", "") in it.statuses else usual
    it.heads = [_head(it, column) for column in columns]
    return it


def page_of(request: SiteRequest, chosen: Choice, rows: Iterable[Any], objects: "QuerySet[Any]") -> "Page[Any]":
    """A page of objects, from rows that have their ``pk``, in the chosen order."""
    page = paged(request, [row.pk for row in chosen.sorted(rows)])
    found = objects.in_bulk(page.object_list)
    page.object_list = [found[pk] for pk in page.object_list if pk in found]
    return page


def _head(chosen: Choice, column: Column) -> dict[str, Any]:
    """Of a column: its text, where its link leads, and how the list is sorted by it now."""
    now = {column.name: "ascending", DOWN + column.name: "descending"}.get(chosen.sort or chosen.usual_sort, "")
    sort = DOWN + column.name if now == "ascending" else column.name
    # Also where nothing else is chosen: an address that says nothing is one that remembers.
    told = {"q": chosen.q, "unit": chosen.unit, "status": chosen.status, "sort": sort}
    address = "?" + urlencode({key: value for key, value in told.items() if value not in (None, "")})
    return {"text": column.text, "address": address, "now": now}


NUMBER = Column("number", gettext_lazy("Number"), lambda row: row.number)
