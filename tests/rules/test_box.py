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
from station.records.proofs import key_proof
from station.rules.box import SYNC_AHEAD_S, WRONG_PINS_LIMIT, WrongPins, decide
from station.rules.facts import BoxDecision
from tests.rules.test_locks import answer_to

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "records.json").read_text())["activation_box"]
CENTRAL, STATION = (SigningKey(bytes([n]) * 32) for n in (1, 2))
NOW_S = 1_800_000_000
PIN_TAG = b"t" * 16


def word_for(decision: BoxDecision) -> str:
    """The contract's word for what the box does."""
    if decision.activates:
        return "activate"
    return "ask_pin" if decision.refusal is None else decision.refusal.value


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_vector(vector: dict[str, Any]) -> None:
    decision = decide(
        envelope,
        [bytes.fromhex(k) for k in vector["central_public_hex"]],
        {name: bytes.fromhex(record) for name, record in vector["files_hex"].items()},
        vector["now"],
        ZoneInfo(vector["time_zone"]),
        box=vector["box"],
        key_clock_s=vector["key_clock"],
        proof=answer_to(vector["nonce_hex"], vector["proof"]),
        wrong_pins=WrongPins(vector["failures"], vector["last_failure_at"]),
        pin_tags=[bytes.fromhex(tag) for tag in vector["pin_tags_hex"]],
    )
    assert (word_for(decision), decision.failures) == (
        vector["reason"],
        vector["failures_after"],
    )


def a_synchronised_key(
    windows: tuple[Window, ...] = (),
    permit_from: int = 0,
    blocked: tuple[int, ...] = (),
    expires: dict[str, int] | None = None,
    secret: bytes | None = None,
) -> dict[str, bytes]:
    ends = {"permit": NOW_S + 99, "certificate": NOW_S + 99} | (expires or {})
    permit = Permit(ends["permit"], permit_from, 5, 812, 1, (3,), (), windows, PIN_TAG, Category.PERMANENT)
    records = {
        "id": KeyRecord(5, 41, KeyKind.PERSONAL, 4, 812, secret),
        "permit": permit,
        "cert": StationCertificate(ends["certificate"], 5, 4, 7, STATION.public, Role.SYNC_STATION),
        "block": Blocklist(0, 5, 1, (), blocked),
    }
    files = {name: envelope.sign(claims, CENTRAL) for name, claims in records.items()}
    return files | {"sync": envelope.sign(Sync(NOW_S - 60, 41, 7), STATION)}


def decide_on(
    files: dict[str, bytes],
    wrong_pins: WrongPins = WrongPins(),  # noqa: B008
    pin_tags: tuple[bytes, ...] | None = (PIN_TAG,),
    now_s: int = NOW_S,
    **how: Any,
) -> BoxDecision:
    asked: dict[str, Any] = {"box": 57, "key_clock_s": NOW_S, "proof": None} | how
    return decide(envelope, [CENTRAL.public], files, now_s, UTC, wrong_pins=wrong_pins, pin_tags=pin_tags, **asked)


def decided(files: dict[str, bytes], *args: Any, **how: Any) -> str:
    return word_for(decide_on(files, *args, **how))


@pytest.mark.parametrize(
    ("times", "now_s", "reason"),
    [
        ({"certificate": NOW_S + 1}, NOW_S, "activate"),
        ({"certificate": NOW_S}, NOW_S, "bad_station_certificate"),
        ({"permit": NOW_S + 1}, NOW_S, "activate"),
        ({"permit": NOW_S}, NOW_S, "permit_expired"),
        ({}, NOW_S - 60 - 300, "activate"),
        ({}, NOW_S - 60 - 301, "synced_too_long_ago"),
    ],
)
def test_to_the_second(times: dict[str, int], now_s: int, reason: str) -> None:
    assert decided(a_synchronised_key(expires=times), now_s=now_s) == reason


def test_what_is_needed_for_signing_comes_along() -> None:
    decision = decide_on(a_synchronised_key())
    assert decision.activates
    assert decision.key == KeyRecord(5, 41, KeyKind.PERSONAL, 4, 812)
    assert decision.permit
    assert decision.permit.holder == 812


@pytest.mark.parametrize(
    ("on_key", "own", "reason"),
    [
        (None, None, "activate"),
        (None, (2, (41,), ()), "blocked"),
        (None, (2, (), (7,)), "blocked"),
        (None, (2, (40,), (8,)), "activate"),
        ((2, (), ()), (1, (41,), ()), "activate"),
        ((2, (41,), ()), (3, (), ()), "activate"),
        ((2, (), ()), (3, (41,), ()), "blocked"),
        ((3, (41,), ()), (2, (), ()), "blocked"),
    ],
)
def test_of_the_keys_blocklist_and_the_boxes_own_the_newer_counts(
    on_key: tuple[int, tuple[int, ...], tuple[int, ...]] | None,
    own: tuple[int, tuple[int, ...], tuple[int, ...]] | None,
    reason: str,
) -> None:
    files = a_synchronised_key()
    files["block"] = envelope.sign(Blocklist(0, 5, *on_key), CENTRAL) if on_key else b""
    assert decided(files, own_blocklist=Blocklist(0, 5, *own) if own else None) == reason


def test_before_a_pin_is_typed() -> None:
    assert decided(a_synchronised_key(), pin_tags=None) == "ask_pin"
    assert decided(a_synchronised_key(), WrongPins(10), pin_tags=None) == "locked"


def test_ten_wrong_pins_lock_the_right_one_out() -> None:
    assert decided(a_synchronised_key(), WrongPins(9)) == "activate"
    assert decided(a_synchronised_key(), WrongPins(10)) == "locked"


def test_a_permit_not_yet_in_force() -> None:
    assert decided(a_synchronised_key(permit_from=NOW_S + 1)) == "permit_expired"


def test_key_that_a_stolen_station_has_synchronised() -> None:
    assert decided(a_synchronised_key(blocked=(7,))) == "blocked"


def test_an_unverifiable_blocklist_is_none() -> None:
    files = a_synchronised_key(blocked=(7,))
    files["block"] = files["block"][:-1]
    assert decided(files) == "activate"


def test_a_stolen_box_activates_nothing() -> None:
    assert decided(a_synchronised_key(blocked=(57,))) == "blocked"
    assert decided(a_synchronised_key(blocked=(57,)), box=58) == "activate"


@pytest.mark.parametrize(
    ("clock_s", "reason"),
    [
        (None, "clock_unset"),
        (0, "clock_unset"),
        (NOW_S - 60 - 301, "clock_unset"),
        (NOW_S - 60 - 300, "activate"),
        (NOW_S + 999, "activate"),
    ],
)
def test_a_key_that_has_lost_power_since_its_sync(clock_s: int | None, reason: str) -> None:
    assert decided(a_synchronised_key(), key_clock_s=clock_s) == reason


def test_a_copy_of_a_key_with_a_secret() -> None:
    secret = SigningKey(b"\4" * 32)
    files = a_synchronised_key(secret=secret.public) | {"act": b"\0"}
    clock_s = NOW_S + 999
    right = key_proof(secret, b"n" * 16, b"\0", clock_s)
    assert decided(files, key_clock_s=clock_s, proof=right) == "activate"
    assert decided(files, key_clock_s=clock_s - 6, proof=right) == "not_genuine"
    assert decided(files, key_clock_s=clock_s) == "not_genuine"
    copied = key_proof(SigningKey(b"\5" * 32), b"n" * 16, b"\0", clock_s)
    assert decided(files, key_clock_s=clock_s, proof=copied) == "not_genuine"


def test_a_pin_is_right_under_either_pepper() -> None:
    for tags in [(PIN_TAG, b"u" * 16), (b"u" * 16, PIN_TAG)]:
        assert decided(a_synchronised_key(), pin_tags=tags) == "activate"
    assert decided(a_synchronised_key(), pin_tags=(b"u" * 16, b"v" * 16)) == "wrong_pin"
    assert decided(a_synchronised_key(), pin_tags=()) == "wrong_pin"


@pytest.mark.parametrize(
    ("last_s", "reason"),
    [(NOW_S - 61, "activate"), (NOW_S - 60, "locked"), (None, "locked")],
)
def test_a_later_sync_unlocks_the_key_on_this_box(last_s: int | None, reason: str) -> None:
    assert decided(a_synchronised_key(), WrongPins(10, last_s)) == reason


@pytest.mark.parametrize(("now_s", "reason"), [(NOW_S - 60, "activate"), (NOW_S - 61, "locked")])
def test_a_sync_from_ahead_of_the_boxes_clock_forgives_nothing_yet(now_s: int, reason: str) -> None:
    assert decided(a_synchronised_key(), WrongPins(10, NOW_S - 62), now_s=now_s) == reason


def test_a_sync_forgives_once_wherever_the_boxes_clock_is() -> None:
    count, tries = WrongPins(), 0
    for now_s in range(NOW_S - 60 - SYNC_AHEAD_S, NOW_S + 600, 3):
        decision = decide_on(a_synchronised_key(), count, (b"u" * 16,), now_s)
        if decision.failures is not None:
            count, tries = WrongPins(decision.failures, now_s), tries + 1
    assert tries == 2 * WRONG_PINS_LIMIT


def test_wrong_pins_are_counted_on() -> None:
    wrong = (b"u" * 16,)
    assert decide_on(a_synchronised_key(), WrongPins(3, NOW_S), wrong).failures == 4
    assert decide_on(a_synchronised_key(), WrongPins(3, NOW_S - 61), wrong).failures == 1
    assert decide_on(a_synchronised_key(), WrongPins(3, NOW_S)).failures == 0
    assert decide_on(a_synchronised_key(), WrongPins(3, NOW_S), None).failures is None
