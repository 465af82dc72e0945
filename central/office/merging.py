"""Two who edit the same: what this user changed is applied, what another has changed meanwhile stays.

A form that edits carries what its page has shown, as JSON in `FIELD`. A value that both have changed, to different
things, is asked about again; ticks (sets) are merged one by one.
"""

import json
from dataclasses import dataclass, field
from typing import Any

FIELD = "shown"
LIMIT_CHARACTERS = 100_000


@dataclass(frozen=True)
class Merged:
    """What the fields are to be, those of them that change, and those that both have changed."""

    values: dict[str, Any]
    changed: set[str] = field(default_factory=set)
    conflicts: set[str] = field(default_factory=set)


def merged(shown: dict[str, Any], wanted: dict[str, Any], now: dict[str, Any]) -> Merged:
    """Merge by field. Values are as JSON has them, but for sets of ticks. What was not shown stays."""
    values, changed, conflicts = dict(now), set(), set()
    for name, value in wanted.items():
        if name not in shown or value == shown[name]:
            continue
        if isinstance(value, frozenset):
            values[name] = (now[name] | (value - shown[name])) - (shown[name] - value)
        elif now[name] in (shown[name], value):
            values[name] = value
        else:
            conflicts.add(name)
        if values[name] != now[name]:
            changed.add(name)
    return Merged(values, changed, conflicts)


def as_text(values: dict[str, Any]) -> str:
    """For the page."""
    plain = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in values.items()}
    return json.dumps(plain, separators=(",", ":"))


def from_text(text: str, now: dict[str, Any]) -> dict[str, Any]:
    """What the page has shown: only what has the form of the values there are now; of the rest nothing was shown."""
    try:
        told = json.loads(text[:LIMIT_CHARACTERS])
    except (ValueError, RecursionError):
        return {}
    found = {}
    for name, value in told.items() if isinstance(told, dict) else ():
        if name in now and isinstance(now[name], frozenset):
            if isinstance(value, list) and all(type(each) is int for each in value):
                found[name] = frozenset(value)
        elif name in now:
            found[name] = value
    return found
