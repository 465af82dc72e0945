"""What is believed of what stations tell of keys' logs: only what the entry's own bytes say.

An entry's id is made of its bytes, so that two stations that bring the same one bring one event, and nobody can bring
something else under its id.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from central.models.events import ENTRY_TYPES
from station.records.base64url import decoded, encoded
from station.records.log_entry import ENTRY_LIMIT_BYTES, MAX_COUNT, OPENED, LogEntry, read_entry
from station.records.log_ids import entry_id, gap_id, garbage_id

LOG_ID_VERSION = 5
"""Of ids of what is found in a log; all others are made anew by the station (version 7)."""


@dataclass(frozen=True)
class LogReport:
    """What an event tells of a key's log."""

    key: int
    generation: int
    entry: LogEntry | None = None
    gap: tuple[int, int] | None = None
    """The first and the last number that is not there."""

    @property
    def numbers(self) -> tuple[int, int]:
        """The first and the last that it is about."""
        if self.entry is not None:
            return self.entry.seq, self.entry.seq
        assert self.gap is not None
        return self.gap

    def taken(self, data: dict[str, Any]) -> dict[str, Any]:
        """``data`` of the event, with what the entry says in it."""
        if self.entry is None:
            return data
        told = {"seq": self.entry.seq, "outcome": self.entry.outcome, "entry": encoded(self.entry.raw)}
        if self.entry.battery_percent is not None:
            told["battery_percent"] = self.entry.battery_percent
        return data | told


class Differs(Exception):
    """An event about a log that says something else than its entry, or whose id is not made of it."""


def log_report(type_: str, id_: UUID, key: int | None, told: dict[str, Any], data: dict[str, Any]) -> LogReport | None:
    """What an event tells of a log; None for one that is not about a log.

    ``told``: its ``at``, ``holder`` and ``lock``; what is None in it is taken from the entry. Raises Differs.
    """
    if type_ in ENTRY_TYPES:
        return _entry_report(type_, id_, _key(key), told, data)
    if type_ == "log_gap":
        first, last = _count(data, "first"), _count(data, "last")
        _same("id", id_, gap_id(_key(key), first, last))
        if last < first:
            raise Differs("data.last: before the first")
        return LogReport(_key(key), 0, gap=(first, last))
    if id_.version != LOG_ID_VERSION:
        return None
    # Only bytes that are no entry have an id of this kind, too. Who gave another event the id of an entry that is still
    # to come would keep that entry out.
    if type_ != "record_refused":
        raise Differs("id: of a log entry")
    _same("id", id_, garbage_id(_key(key), _count(data, "generation"), _count(data, "offset")))
    return None


def _entry_report(type_: str, id_: UUID, key: int, told: dict[str, Any], data: dict[str, Any]) -> LogReport:
    entry = _entry(data.get("entry"))
    _same("id", id_, entry_id(key, entry.raw))
    _same("type", type_, ENTRY_TYPES[0] if entry.outcome == OPENED else ENTRY_TYPES[1])
    if entry.time is not None:
        _same("at", told["at"], entry.time)
    found = {"lock": entry.lock, "holder": entry.holder}
    in_data = {"seq": entry.seq, "outcome": entry.outcome, "battery_percent": entry.battery_percent}
    for name, value in found.items():
        if told[name] is not None:
            _same(name, told[name], value)
    for name, said in in_data.items():
        if data.get(name) is not None:
            _same(f"data.{name}", data[name], said)
    return LogReport(key, _count(data, "generation"), entry)


def _entry(text: object) -> LogEntry:
    try:
        raw = decoded(text) if isinstance(text, str) and len(text) <= 2 * ENTRY_LIMIT_BYTES else b""
    except ValueError:
        raw = b""
    entry = read_entry(raw)
    if entry is None or entry.raw != raw:
        raise Differs("data.entry: not an entry")
    return entry


def _key(number: int | None) -> int:
    if number is None:
        raise Differs("key: missing")
    return number


def _count(data: dict[str, Any], name: str) -> int:
    value = data.get(name)
    if type(value) is not int or not 0 <= value <= MAX_COUNT:
        raise Differs(f"data.{name}: not a number")
    return value


def _same(name: str, told: object, found: object) -> None:
    # JSON's true is no 1, and 1.0 none either.
    if type(told) is not type(found) or told != found:
        raise Differs(f"{name}: differs from the entry")
