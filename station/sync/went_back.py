"""What a central restored from a backup opens again, and what therefore stays refused at this station. Pure.

A key that was blocked after the backup was made is active again in it. A coordinator has to see that, and to confirm or
block it anew; until then this station goes by what it knew. Source: the central API, "A new epoch".
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from station.ports import Json, KnownAs, MirrorObject, StaysRefused
from station.records.claims import Blocklist
from station.records.mirror_digest import ObjectName

TOLD_LIMIT = 1000
"""``mirror_went_back`` events at once, by the contract; what is beyond stays refused all the same."""

Closed: TypeAlias = frozenset[tuple[str, int, KnownAs]]
"""What is refused, by type and number, and as what."""

_OUT_OF_USE = frozenset({KnownAs.BLOCKED, KnownAs.RETURNED})


def closed_in(objects: Iterable[MirrorObject], blocklist: Blocklist | None) -> Closed:
    """What these objects and this blocklist refuse."""
    closed = {(each.type, each.id, was) for each in objects for was in _closed_as(each)}
    if blocklist is not None:
        closed |= {("key", number, KnownAs.LISTED) for number in blocklist.blocked_keys}
        closed |= {("station", number, KnownAs.LISTED) for number in blocklist.blocked_stations}
    return frozenset(closed)


def still_refused(stays: Iterable[StaysRefused]) -> Closed:
    """The same of what stays refused from an earlier time that central went back."""
    return frozenset((each.type, each.id, each.was) for each in stays)


def opened_again(
    before: Closed, after: Closed, present: Mapping[ObjectName, int], version: int
) -> tuple[StaysRefused, ...]:
    """What was refused ``before`` a snapshot of a central that went back and is not ``after``.

    ``present``: the revisions of the snapshot's objects. What it has not at all is refused as unknown, and only a
    number of the blocklist can come again; a revision above ``version``, its change counter, is then a later word.
    """
    shut = {(type_, id_) for type_, id_, was in after if was in _OUT_OF_USE}
    opened = [
        StaysRefused(type_, id_, was, present.get(ObjectName(type_, id_), version))
        for type_, id_, was in before - after
        if was is KnownAs.LISTED or ObjectName(type_, id_) in present
        # A key that was blocked and is returned now is out of use either way.
        if not (was in _OUT_OF_USE and (type_, id_) in shut)
    ]
    return tuple(sorted(opened, key=lambda each: (each.type, each.id, each.was)))


def freed(
    stays: Iterable[StaysRefused], used: Mapping[ObjectName, int], blocklist: Blocklist | None
) -> tuple[StaysRefused, ...]:
    """What still stays refused after an ordinary answer.

    ``used``: the revisions of its objects that are used. ``blocklist``: a new one; a number that is on it again is
    refused by that, and open when a later one leaves it out.
    """
    listed = closed_in((), blocklist)
    return tuple(
        each
        for each in stays
        if used.get(ObjectName(each.type, each.id), each.revision) <= each.revision
        and (each.type, each.id, each.was) not in listed
    )


def _closed_as(each: MirrorObject) -> Iterable[KnownAs]:
    body = each.body
    match each.type:
        case "key":
            if body.get("status") in _OUT_OF_USE:
                yield KnownAs(body["status"])
            if _time(body.get("locked_at")) > _time(body.get("unlocked_at")):
                yield KnownAs.LOCKED
        case "holder" if body.get("status") == KnownAs.ENDED:
            yield KnownAs.ENDED
        case "unit" if body.get("closed") is True:
            yield KnownAs.CLOSED
        case _:
            pass


def _time(value: Json) -> int:
    return value if type(value) is int else 0
