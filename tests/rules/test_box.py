"""What an activation box requires: the contract's examples, and what they leave open."""

import json
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from station.records import envelope
from station.records.claims import (
    Blocklist,
    Category,
    KeyKind,
    KeyRecord,
    Permit,
    Role,
    StationCertificate,
    Sync,
    Window,
)
from station.records.keys import SigningKey
from station.rules.box import BoxDecision, BoxReason, decide
from station.rules.windows import FOREVER

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "records.json").read_text())["activation_box"]
CENTRAL, STATION = (SigningKey(bytes([n]) * 32) for n in (1, 2))
NOW_S = 1_800_000_000
PIN_TAG = b"t" * 16


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_vector(vector: dict[str, Any]) -> None:
    decision = decide(
        envelope,
        [bytes.fromhex(k) for k in vector["central_public_hex"]],
        {name: bytes.fromhex(record) for name, record in vector["files_hex"].items()},
        vector["now"],
        ZoneInfo(vector["time_zone"]),
        key_clock_set=vector["key_clock_set"],
        failures=vector["failures"],
        pin_tag=bytes.fromhex(vector["pin_tag_hex"]),
    )
    assert decision.reason == vector["reason"]


def a_synchronised_key(
    windows: tuple[Window, ...] = (),
    permit_from: int = 0,
    blocked: tuple[int, ...] = (),
    expires: dict[str, int] | None = None,
) -> dict[str, bytes]:
    ends = {"permit": NOW_S + 99, "certificate": NOW_S + 99} | (expires or {})
    permit = Permit(ends["permit"], permit_from, 5, 812, 1, (3,), (), windows, PIN_TAG, Category.PERMANENT)
    records = {
        "id": KeyRecord(5, 41, KeyKind.PERSONAL, 4, 812),
        "permit": permit,
        "cert": StationCertificate(ends["certificate"], 5, 4, 7, STATION.public, Role.SYNC_STATION),
        "block": Blocklist(0, 5, 1, (), blocked),
    }
    files = {name: envelope.sign(claims, CENTRAL) for name, claims in records.items()}
    return files | {"sync": envelope.sign(Sync(NOW_S - 60, 41, 7), STATION)}


def decide_on(
    files: dict[str, bytes], failures: int = 0, pin_tag: bytes | None = PIN_TAG, now_s: int = NOW_S
) -> BoxDecision:
    return decide(envelope, [CENTRAL.public], files, now_s, UTC, key_clock_set=True, failures=failures, pin_tag=pin_tag)


@pytest.mark.parametrize(
    ("times", "now_s", "reason"),
    [
        ({"certificate": NOW_S + 1}, NOW_S, BoxReason.ACTIVATE),
        ({"certificate": NOW_S}, NOW_S, BoxReason.BAD_STATION_CERTIFICATE),
        ({"permit": NOW_S + 1}, NOW_S, BoxReason.ACTIVATE),
        ({"permit": NOW_S}, NOW_S, BoxReason.PERMIT_EXPIRED),
        ({}, NOW_S - 60 - 300, BoxReason.ACTIVATE),
        ({}, NOW_S - 60 - 301, BoxReason.SYNCED_TOO_LONG_AGO),
    ],
)
def test_to_the_second(times: dict[str, int], now_s: int, reason: BoxReason) -> None:
    assert decide_on(a_synchronised_key(expires=times), now_s=now_s).reason is reason


def test_what_is_needed_for_signing_comes_along() -> None:
    decision = decide_on(a_synchronised_key())
    assert decision.reason is BoxReason.ACTIVATE
    assert decision.key == KeyRecord(5, 41, KeyKind.PERSONAL, 4, 812)
    assert decision.permit
    assert decision.permit.holder == 812
    assert decision.window_end_s == FOREVER


def test_the_end_of_the_running_window_comes_along() -> None:
    # 2027-01-15T08:00Z, a Friday.
    assert decide_on(a_synchronised_key((Window(16, 0, 600),))).window_end_s == NOW_S + 2 * 3600


@pytest.mark.parametrize(
    ("on_key", "own", "reason"),
    [
        (None, None, BoxReason.ACTIVATE),
        (None, (2, (41,), ()), BoxReason.BLOCKED),
        (None, (2, (), (7,)), BoxReason.BLOCKED),
        (None, (2, (40,), (8,)), BoxReason.ACTIVATE),
        ((2, (), ()), (1, (41,), ()), BoxReason.ACTIVATE),
        ((2, (41,), ()), (3, (), ()), BoxReason.ACTIVATE),
        ((2, (), ()), (3, (41,), ()), BoxReason.BLOCKED),
        ((3, (41,), ()), (2, (), ()), BoxReason.BLOCKED),
    ],
)
def test_of_the_keys_blocklist_and_the_boxes_own_the_newer_counts(
    on_key: tuple[int, tuple[int, ...], tuple[int, ...]] | None,
    own: tuple[int, tuple[int, ...], tuple[int, ...]] | None,
    reason: BoxReason,
) -> None:
    files = a_synchronised_key()
    files["block"] = envelope.sign(Blocklist(0, 5, *on_key), CENTRAL) if on_key else b""
    decision = decide(
        envelope,
        [CENTRAL.public],
        files,
        NOW_S,
        UTC,
        key_clock_set=True,
        failures=0,
        pin_tag=PIN_TAG,
        own_blocklist=Blocklist(0, 5, *own) if own else None,
    )
    assert decision.reason is reason


def test_before_a_pin_is_typed() -> None:
    assert decide_on(a_synchronised_key(), pin_tag=None).reason is BoxReason.ASK_PIN
    assert decide_on(a_synchronised_key(), pin_tag=None, failures=10).reason is BoxReason.LOCKED


def test_ten_wrong_pins_lock_the_right_one_out() -> None:
    assert decide_on(a_synchronised_key(), failures=9).reason is BoxReason.ACTIVATE
    assert decide_on(a_synchronised_key(), failures=10).reason is BoxReason.LOCKED


def test_a_permit_not_yet_in_force() -> None:
    assert decide_on(a_synchronised_key(permit_from=NOW_S + 1)).reason is BoxReason.PERMIT_EXPIRED


def test_key_that_a_stolen_station_has_synchronised() -> None:
    assert decide_on(a_synchronised_key(blocked=(7,))).reason is BoxReason.BLOCKED


def test_an_unverifiable_blocklist_is_none() -> None:
    files = a_synchronised_key(blocked=(7,))
    files["block"] = files["block"][:-1]
    assert decide_on(files).reason is BoxReason.ACTIVATE
