"""Staff and locks from CSV: planned line by line first, then applied. Nothing is refused silently.

Staff: ``number,given_name,family_name,category,unit,employment_begins,employment_ends`` with category ``permanent``,
``long_term`` or ``hourly``, unit and number as numbers, dates as ``2030-12-31`` or empty; ``employment_begins`` may be
left out of the file. Another unit moves somebody, with their key, to what is usual there; whoever has left comes back
by an ``employment_begins`` after that. Locks: ``number,area,unit`` with unit empty for none. Comma or semicolon; the
first line names the columns. Who or what is not in the file stays as it is.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from io import StringIO
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from central.actions.access import permit_access, usual_access
from central.actions.moves import Employment, employ_again, move_person, own_keys
from central.actions.people import day_of_leaving, shown_name
from central.feed import change_and_sign
from central.models import Area, Holder, Lock, Permission, Site, Unit
from central.models.base import MAX_UINT32
from central.models.people import may_be_identity_number
from central.signing.blocklists import lock_site

M = TypeVar("M", bound=Model)

LINES_LIMIT = 5000
APPLIED_AT_ONCE = 200
"""A second or two in which nobody else writes."""
NAME_LIMIT = 60
HOURLY = Holder.Category.HOURLY
CATEGORIES = {"permanent": 0, "long_term": 1, "hourly": 2}
STAFF_COLUMNS = ("number", "given_name", "family_name", "category", "unit", "employment_begins", "employment_ends")
MAY_BE_MISSING = "employment_begins"
LOCK_COLUMNS = ("number", "area", "unit")


class Verdict(Enum):
    """What would become of a line."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    WRONG = "wrong"


@dataclass(frozen=True)
class Line:
    """A line of the file and what it would do. ``problem`` is a code, for the page's words."""

    line: int
    number: str
    verdict: Verdict
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    """Field, old, new."""
    problem: str = ""
    value: str = ""
    apply: Callable[[], bool] | None = field(default=None, repr=False)
    """Inside a change. Returns whether it could be done."""


class _Wrong(Exception):
    def __init__(self, problem: str, value: str = "") -> None:
        super().__init__(problem)
        self.problem, self.value = problem, value


@dataclass(frozen=True)
class _Plan:
    """``existing``: what there is, ``wanted``: what its fields are to be, ``make``: makes them so."""

    existing: Any
    wanted: dict[str, Any]
    make: Callable[[], None]
    follows: list[tuple[str, str, str]] = field(default_factory=list)
    """What else changes by that: name, old, new."""

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """Field, old, new."""
        return [
            (name, "" if self.existing is None else _words(name, getattr(self.existing, name)), _words(name, value))
            for name, value in self.wanted.items()
            if self.existing is None or getattr(self.existing, name) != value
        ] + self.follows


def plan(site: Site, kind: str, text: str, by: str = "") -> list[Line]:
    """What the file would change, a `Line` for each of its lines; a file that cannot be read is one wrong line.

    ``by``: who applies it, for tasks and receipts.
    """
    columns, planner = (STAFF_COLUMNS, _Staff(site, by)) if kind == "staff" else (LOCK_COLUMNS, _Locks(site))
    first = text.partition("\n")[0]
    reader = csv.reader(StringIO(text, newline=""), delimiter=";" if ";" in first else ",", strict=True)
    found: list[Line] = []
    seen: set[str] = set()
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if sorted({*header, MAY_BE_MISSING} if kind == "staff" else header) != sorted(columns) or _repeated(header):
            return [Line(1, "", Verdict.WRONG, problem="columns", value=", ".join(columns))]
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(found) >= LINES_LIMIT:
                return [
                    *found,
                    Line(reader.line_num, "", Verdict.WRONG, problem="too_many_lines", value=str(LINES_LIMIT)),
                ]
            found.append(_planned(planner, reader.line_num, header, row, seen))
    except csv.Error:
        found.append(Line(reader.line_num, "", Verdict.WRONG, problem="not_csv"))
    return found


def _repeated(header: list[str]) -> bool:
    """Whether a column is named twice."""
    return len(set(header)) < len(header)


def apply(site: Site, lines: list[Line]) -> int:
    """Apply what is new or changed; wrong lines are left out, as the plan said. Returns how many.

    Each as things are by then: of two files at once the second finds what the first has done. What has become wrong
    meanwhile is left out as well. In changes of `APPLIED_AT_ONCE` lines: stations are served in between. What is broken
    off is taken up by the same file: what is done already is then the same.
    """
    chosen = [line.apply for line in lines if line.apply is not None]
    count = 0
    for first in range(0, len(chosen), APPLIED_AT_ONCE):
        with change_and_sign():
            lock_site(site)
            count += sum(each() for each in chosen[first : first + APPLIED_AT_ONCE])
    return count


def _planned(planner: "_Staff | _Locks", at: int, header: list[str], row: list[str], seen: set[str]) -> Line:
    number = ""
    try:
        if len(row) != len(header):
            raise _Wrong("cells", str(len(row)))
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
        number = cells["number"]
        if number in seen:
            raise _Wrong("twice", number)
        seen.add(number)
        planned = planner.plan(_number(number), cells)
    except _Wrong as wrong:
        return Line(at, number, Verdict.WRONG, problem=wrong.problem, value=wrong.value)
    verdict = Verdict.NEW if planned.existing is None else Verdict.CHANGED if planned.changes else Verdict.SAME

    def apply_now() -> bool:
        planner.look_again(_number(number))
        try:
            now = planner.plan(_number(number), cells)
        except _Wrong:
            return False
        if now.changes:
            now.make()
        return True

    return Line(at, number, verdict, planned.changes, apply=apply_now if planned.changes else None)


class _Staff:
    def __init__(self, site: Site, by: str) -> None:
        self._site, self._by = site, by
        self._units = {str(unit.number): unit for unit in Unit.objects.filter(site=site)}
        self._holders = {
            holder.number: holder for holder in Holder.objects.filter(site=site).select_related("unit", "site")
        }

    def plan(self, number: int, cells: dict[str, str]) -> _Plan:
        for name in ("given_name", "family_name"):
            shown = shown_name(cells[name])
            if shown is None or not 0 < len(shown) <= NAME_LIMIT:
                raise _Wrong(name, cells[name])
            cells[name] = shown
        if cells["category"] not in CATEGORIES:
            raise _Wrong("category", cells["category"])
        if cells["unit"] not in self._units:
            raise _Wrong("unit", cells["unit"])
        existing = self._holders.get(number)
        if may_be_identity_number(cells["number"]):
            raise _Wrong("identity_number")
        # A personnel system remembers longer than this server may.
        if existing is not None and existing.forgotten_at is not None:
            raise _Wrong("forgotten")
        wanted: dict[str, Any] = {
            "given_name": cells["given_name"],
            "family_name": cells["family_name"],
            "category": CATEGORIES[cells["category"]],
            "unit": self._units[cells["unit"]],
            **({MAY_BE_MISSING: _date(cells[MAY_BE_MISSING])} if MAY_BE_MISSING in cells else {}),
            "employment_ends": _date(cells["employment_ends"]),
        }
        if existing is None:
            return _Plan(None, wanted, lambda: self._add(number, wanted))
        # Permissions are of another kind for hourly staff, and a personal key has to come back first.
        if (existing.category == HOURLY) != (wanted["category"] == HOURLY):
            raise _Wrong("category_change", cells["category"])
        returns = _comes_back(existing, wanted)
        follows = _what_follows(existing, wanted["unit"], returns=returns)
        return _Plan(existing, wanted, lambda: self._change(existing, wanted, returns=returns), follows)

    def look_again(self, number: int) -> None:
        """See who has that number now."""
        self._holders |= {each.number: each for each in _found(Holder, self._site, number, "unit", "site")}

    def _add(self, number: int, wanted: dict[str, Any]) -> None:
        holder = Holder(site=self._site, number=number, **wanted)
        holder.save()
        permit_access(holder, holder.unit if holder.category == HOURLY else None, usual_access(holder.unit))

    def _change(self, holder: Holder, wanted: dict[str, Any], *, returns: bool) -> None:
        wanted = dict(wanted)
        unit = wanted.pop("unit")
        for name, value in wanted.items():
            setattr(holder, name, value)
        holder.save(update_fields=list(wanted))
        if returns:
            employment = Employment(holder.category, unit, holder.employment_begins, holder.employment_ends)
            employ_again(holder, employment, self._by)
        elif unit != holder.unit:
            move_person(holder, unit, self._by)


def _comes_back(holder: Holder, wanted: dict[str, Any]) -> bool:
    """Whether somebody who has left begins anew. Raises `_Wrong`.

    A file that merely does not know yet that they have left must not open any door to them again.
    """
    if holder.status != Holder.Status.ENDED:
        return False
    begins, ends = wanted.get(MAY_BE_MISSING), wanted["employment_ends"]
    if ends is not None and ends < holder.site.today():
        return False
    if begins is None or begins <= day_of_leaving(holder):
        raise _Wrong("has_left", day_of_leaving(holder).isoformat())
    return True


def _what_follows(holder: Holder, unit: Unit, *, returns: bool) -> list[tuple[str, str, str]]:
    """What becomes of access and keys of somebody who moves or comes back: `move_person` and `employ_again` do it."""
    told = [("status", "ended", "active")] if returns else []
    if not returns and unit == holder.unit:
        return told
    if holder.category == HOURLY:
        told += [("substitute_keys", str(holder.unit), str(unit))] if unit != holder.unit else []
    else:
        permission = Permission.objects.filter(holder=holder, unit=None).first()
        old = [] if permission is None else ["*"] if permission.every_area else permission.areas.all()
        new = ["*"] if unit.usual_every_area else unit.usual_areas.all()
        told.append(("areas", ", ".join(map(str, old)), ", ".join(map(str, new))))
    return told + [("key", f"{key} ({key.unit})", f"{key} ({unit})") for key in own_keys(holder) if key.unit != unit]


class _Locks:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._units = {str(unit.number): unit for unit in Unit.objects.filter(site=site)}
        self._areas = {str(area.number): area for area in Area.objects.filter(site=site)}
        self._locks = {lock.number: lock for lock in Lock.objects.filter(site=site).select_related("area", "unit")}

    def plan(self, number: int, cells: dict[str, str]) -> _Plan:
        if number == 1:
            raise _Wrong("test_lock")
        if cells["area"] not in self._areas:
            raise _Wrong("area", cells["area"])
        if cells["unit"] and cells["unit"] not in self._units:
            raise _Wrong("unit", cells["unit"])
        wanted = {"area": self._areas[cells["area"]], "unit": self._units.get(cells["unit"])}
        existing = self._locks.get(number)
        return _Plan(existing, wanted, lambda: self._make(number, existing, wanted))

    def look_again(self, number: int) -> None:
        """See what that lock is now."""
        self._locks |= {each.number: each for each in _found(Lock, self._site, number, "area", "unit")}

    def _make(self, number: int, existing: Lock | None, wanted: dict[str, Any]) -> None:
        lock = existing or Lock(site=self._site, number=number)
        for name, value in wanted.items():
            setattr(lock, name, value)
        lock.save()


def _found(model: type[M], site: Site, number: int, *with_: str) -> QuerySet[M]:
    """One as it is now, which nobody else changes until the transaction ends."""
    rows = model._default_manager.select_for_update(of=("self",), no_key=True).select_related(*with_)  # noqa: SLF001
    return rows.filter(site=site, number=number)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and 1 <= int(text) <= MAX_UINT32):
        raise _Wrong("number", text)
    return int(text)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise _Wrong("date", text) from error


def _words(name: str, value: object) -> str:
    """Write a value as it would stand in the file."""
    if name == "category":
        return next(word for word, number in CATEGORIES.items() if number == value)
    return "" if value is None else str(value)
