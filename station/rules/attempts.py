"""Wrong PINs: how long to wait after them, when they lock the key, when they are forgotten.

They belong to the key, never to the person and never to the station, so that the next one in the queue is served.
"""

from dataclasses import dataclass, replace

from station.records.claims import KeyKind
from station.rules.facts import Attempts, KeyEntry

FIRST_WAIT_AT = 4
WAITS_S = (5, 15, 30, 60, 120, 300)
LOCK_AT = 10
POOL_FADE_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class AttemptCount:
    """The wrong PINs of a key as they are kept on disk."""

    key: int
    failures: int = 0
    last_at: int | None = None
    """Unix seconds of the last failure."""
    unlock_seen: int | None = None
    """Central's ``unlocked_at`` at the last failure; a later one means unlocked since."""


def current(count: AttemptCount, key: KeyEntry | None, now_s: int) -> AttemptCount:
    """``count`` less what is forgotten: all of it after an unlock by central, a pool key's failures after 24 h."""
    if key is None or not count.failures:
        return count
    # Later, not merely other: a mirror that went back must not forgive what was counted since.
    if (key.unlocked_at or 0) > (count.unlock_seen or 0):
        return AttemptCount(count.key)
    faded = count.last_at is not None and now_s - count.last_at >= POOL_FADE_S
    if faded and key.kind is not KeyKind.PERSONAL and count.failures < LOCK_AT:
        return AttemptCount(count.key)
    return count


def counted(count: AttemptCount, key: KeyEntry | None, now_s: int) -> AttemptCount:
    """One more, to be made durable *before* the PIN is looked at: pulling the plug must not buy a free try."""
    seen = key.unlocked_at if key is not None else count.unlock_seen
    return AttemptCount(count.key, count.failures + 1, now_s, seen)


def taken_back(count: AttemptCount, kind: KeyKind) -> AttemptCount:
    """The PIN was right: its own count goes; on a personal key all go."""
    failures = 0 if kind is KeyKind.PERSONAL else max(0, count.failures - 1)
    return replace(count, failures=failures) if failures else AttemptCount(count.key)


def locked_by_central(key: KeyEntry | None) -> bool:
    """Whether central has locked the key, for wrong PINs at any station, and not unlocked it since."""
    return key is not None and (key.locked_at or 0) > (key.unlocked_at or 0)


def in_force(count: AttemptCount, key: KeyEntry | None, last_failure_mono_s: float) -> Attempts:
    """What ``count`` means: the wait after ``last_failure_mono_s``, and whether the key is locked.

    After a restart nobody knows how long ago the last failure was: the caller gives the start of the station, and the
    whole wait runs again.
    """
    step = count.failures - FIRST_WAIT_AT
    wait_s = WAITS_S[min(step, len(WAITS_S) - 1)] if step >= 0 else 0
    return Attempts(
        failures=count.failures,
        wait_until_s=last_failure_mono_s + wait_s if wait_s else 0.0,
        locked=locked_by_central(key) or count.failures >= LOCK_AT,
    )
