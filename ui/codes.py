"""The short code in the corner of the screen, to be read out on the telephone: ``12 R07 S2``.

The numbers are printed in the manual: give new ones, never change or reuse one.
"""

from collections.abc import Mapping

from station.core.facts import Hindrance, Refusal, Shortened
from station.core.screen import Line as L  # noqa: N817, a table of seventeen rows
from station.core.screen import Screen

LINES: Mapping[L, int] = {
    L.EMPTY: 10,
    L.READING: 11,
    L.PROMPT: 12,
    L.WRONG_PIN: 13,
    L.WAIT: 14,
    L.CHECKING: 15,
    L.ACTIVATING: 16,
    L.READY: 17,
    L.REFUSED: 20,
    L.STILL_ON: 21,
    L.UNREADABLE: 22,
    L.LEFT_IN: 23,
    L.OUT_OFF: 30,
    L.OUT_READY: 31,
    L.OUT_EARLY: 32,
    L.OUT_UNSURE: 33,
    L.READER_BROKEN: 90,
}

REFUSALS: Mapping[Refusal, int] = {
    Refusal.UNKNOWN: 1,
    Refusal.BLOCKED: 2,
    Refusal.RETURNED: 3,
    Refusal.LOCKED: 4,
    Refusal.HOLDER_ENDED: 5,
    Refusal.WRONG_PIN: 10,
    Refusal.NOT_HOURLY: 11,
    Refusal.NOT_PERMANENT: 12,
    Refusal.CLOSED_UNIT: 13,
    Refusal.NO_PERMIT: 14,
    Refusal.PERMIT_EXPIRED: 15,
    Refusal.OUTSIDE_WINDOW: 16,
    Refusal.STATION: 20,
    Refusal.KEY_FAULT: 21,
    Refusal.CLOCK_UNSET: 30,
    Refusal.BAD_STATION_CERTIFICATE: 31,
    Refusal.NEVER_SYNCED: 32,
    Refusal.SYNCED_TOO_LONG_AGO: 33,
    Refusal.BAD_PERMIT: 34,
    Refusal.WRONG_HOLDER: 35,
    Refusal.NOT_PERSONAL: 40,
    Refusal.OTHER_UNIT: 41,
}

HINDRANCES: Mapping[Hindrance, int] = {
    Hindrance.CLOCK: 1,
    Hindrance.NO_MIRROR: 2,
    Hindrance.MIRROR_TOO_OLD: 3,
    Hindrance.CERTIFICATE: 4,
    Hindrance.NOT_ENROLLED: 5,
    Hindrance.DISK: 6,
}

SHORTENED: Mapping[Shortened, int] = {Shortened.WINDOW: 1, Shortened.PERMIT: 2, Shortened.CERTIFICATE: 3}


def fault_digits(screen: Screen) -> str:
    """``12-90`` or ``12-10-3``: station, line and hindrance, in digits that can be drawn large."""
    parts = [f"{screen.status.station}", f"{LINES[screen.line]}"]
    if screen.status.hindrance is not None:
        parts.append(f"{HINDRANCES[screen.status.hindrance]}")
    return "-".join(parts)


def fault_message(screen: Screen) -> str:
    """``STATION 12 10 H3``: for the QR code, in characters that it packs well, 25 at the most."""
    return f"STATION {screen.status.station} {support_code(screen)}"


def support_code(screen: Screen) -> str:
    """Line, then refusal (R), hindrance of the station (H) and reason for a shorter time (S), where there is one."""
    parts = [f"{LINES[screen.line]}"]
    if screen.refusal is not None:
        parts.append(f"R{REFUSALS[screen.refusal]:02}")
    if screen.status.hindrance is not None:
        parts.append(f"H{HINDRANCES[screen.status.hindrance]}")
    if screen.receipt is not None and screen.receipt.shortened is not None:
        parts.append(f"S{SHORTENED[screen.receipt.shortened]}")
    return " ".join(parts)
