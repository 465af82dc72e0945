"""What a lock decides: the contract's examples, and what they leave open, named by threat."""

import json
from pathlib import Path
from typing import Any

import pytest

from station.records import envelope
from station.records.claims import (
    EVERY_AREA,
    Activation,
    Blocklist,
    Category,
    Claims,
    ClockSource,
    KeyKind,
    KeyRecord,
    Permit,
    Role,
    StationCertificate,
)
from station.records.keys import SigningKey
from station.records.proofs import KeyProof, key_proof
from station.rules.locks import Light, Lock, LockDecision, Reason, activation_of, decide, proven_activation_of

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "records.json").read_text())["decisions"]

CENTRAL, STATION, BOX, SECRET = (SigningKey(bytes([n]) * 32) for n in (1, 2, 3, 4))
NONCE = b"n" * 16
NOW_S = 1_800_000_000
LOCK = Lock(number=102, area=3)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_vector(vector: dict[str, Any]) -> None:
    own = vector["lock"]["blocklist_hex"]
    decision = decide(
        envelope,
        [bytes.fromhex(k) for k in vector["central_public_hex"]],
        {name: bytes.fromhex(record) for name, record in vector["files_hex"].items()},
        Lock(vector["lock"]["number"], vector["lock"]["area"], bytes.fromhex(own) if own else None),
        vector["now"],
        button=vector["button"],
        proof=answer_to(vector["nonce_hex"], vector["proof"]),
    )
    assert (decision.light, decision.reason) == (vector["light"], vector["reason"])
    assert decision.opened is (vector["reason"] == "opened")


def answer_to(nonce_hex: str, proof: dict[str, Any] | None) -> KeyProof | None:
    """What a lock makes of an answer: whatever nonce that was made for, it is held against the lock's own."""
    if proof is None:
        return None
    return KeyProof(bytes.fromhex(nonce_hex), proof["time"], bytes.fromhex(proof["signature_hex"]))


def certificate(number: int, key: SigningKey, role: Role = Role.SYNC_STATION, expires: int = NOW_S + 99) -> bytes:
    return central(StationCertificate(expires, NOW_S - 999, unit=4, station=number, public_key=key.public, role=role))


def central(claims: Claims) -> bytes:
    return envelope.sign(claims, CENTRAL)


def blocklist(version: int, keys: tuple[int, ...] = (), stations: tuple[int, ...] = (), issued: int = 5) -> bytes:
    return central(Blocklist(NOW_S + 1, issued, version, keys, stations))


def activation(permit: bytes, key: SigningKey = STATION, station: int = 7, **changes: int) -> bytes:
    times = {"expires": NOW_S + 600, "not_before": NOW_S - 60} | changes
    claims = Activation(
        **times,
        key=41,
        holder=812,
        permit_digest=envelope.digest(permit),
        station=station,
        clock=ClockSource.RTC,
        sequence=1,
    )
    return envelope.sign(claims, key)


def an_active_key(areas: tuple[int, ...] = (3,), locks: tuple[int, ...] = ()) -> dict[str, bytes]:
    permit = central(
        Permit(
            NOW_S + 99, NOW_S - 99, NOW_S - 99, 812, 1, areas, locks, (), pin_tag=b"t" * 16, category=Category.PERMANENT
        )
    )
    return {
        "id": central(KeyRecord(NOW_S - 99, 41, KeyKind.PERSONAL, 4, 812)),
        "permit": permit,
        "cert": certificate(7, STATION),
        "act": activation(permit),
    }


def decide_at(lock: Lock, files: dict[str, bytes], now_s: int = NOW_S) -> LockDecision:
    return decide(envelope, [CENTRAL.public], files, lock, now_s, button=True)


def test_opened_names_the_holder_for_the_log() -> None:
    assert decide_at(LOCK, an_active_key()) == LockDecision(Light.GREEN, opened=True, reason=Reason.OPENED, holder=812)


def test_a_number_in_neither_list_but_the_area_of_another_lock_does_not_open() -> None:
    files = an_active_key(areas=(102,), locks=(3,))
    assert decide_at(LOCK, files).reason is Reason.NO_PERMISSION


@pytest.mark.parametrize(("number", "opens"), [(1, True), (2, False)])
def test_only_the_test_lock_opens_without_any_permission(number: int, opens: bool) -> None:
    assert decide_at(Lock(number, area=9), an_active_key(areas=())).opened is opens


def test_every_area() -> None:
    assert decide_at(Lock(9, area=9), an_active_key(areas=EVERY_AREA)).opened


def test_a_newer_list_is_adopted_also_by_a_lock_that_stays_closed_for_the_blocked_key() -> None:
    files = an_active_key() | {"block": blocklist(6, keys=(41,))}
    decision = decide_at(Lock(102, 3, blocklist(5)), files)
    assert (decision.reason, decision.adopted_blocklist) == (Reason.BLOCKED, files["block"])


def test_a_newer_list_is_adopted_also_where_there_is_no_permission() -> None:
    files = an_active_key() | {"block": blocklist(6)}
    decision = decide_at(Lock(9, 9, blocklist(5)), files)
    assert (decision.reason, decision.adopted_blocklist) == (Reason.NO_PERMISSION, files["block"])


@pytest.mark.parametrize("version", [4, 5])
def test_blocklist_rollback(version: int) -> None:
    files = an_active_key() | {"block": blocklist(version)}
    decision = decide_at(Lock(102, 3, blocklist(5, keys=(41,))), files)
    assert (decision.reason, decision.adopted_blocklist) == (Reason.BLOCKED, None)


def test_an_inactive_key_brings_no_list() -> None:
    files = an_active_key() | {"act": b"\0", "block": blocklist(6)}
    assert decide_at(Lock(102, 3, blocklist(5)), files).adopted_blocklist is None


def test_a_blocked_box_cannot_hide_behind_a_good_station() -> None:
    files = an_active_key()
    files |= {"boxcert": certificate(8, BOX, Role.ACTIVATION_BOX), "act": activation(files["permit"], BOX, 8)}
    assert decide_at(Lock(102, 3, blocklist(1, stations=(8,))), files).reason is Reason.BLOCKED_STATION
    assert decide_at(Lock(102, 3, blocklist(1, stations=(7,))), files).opened


def test_a_certificate_ends_at_its_second() -> None:
    files = an_active_key()
    assert decide_at(LOCK, files | {"cert": certificate(7, STATION, expires=NOW_S + 1)}).opened
    expired = files | {"cert": certificate(7, STATION, expires=NOW_S)}
    assert decide_at(LOCK, expired).reason is Reason.BAD_STATION_CERTIFICATE


def test_where_boxcert_fits_cert_does_not_matter() -> None:
    files = an_active_key() | {"boxcert": certificate(7, STATION, expires=NOW_S)}
    assert decide_at(LOCK, files).reason is Reason.BAD_STATION_CERTIFICATE


def test_what_act_says_chooses_the_certificate_also_where_it_is_not_signed_by_it() -> None:
    files = an_active_key() | {"boxcert": certificate(8, BOX, Role.ACTIVATION_BOX), "cert": b"\0"}
    forged = activation(files["permit"], STATION, 8)
    assert decide_at(LOCK, files | {"act": forged}).reason is Reason.BAD_ACTIVATION
    torn = activation(files["permit"], BOX, 8)[:-1]
    assert decide_at(LOCK, files | {"act": torn}).reason is Reason.BAD_STATION_CERTIFICATE


def test_one_station_cannot_sign_in_the_name_of_another() -> None:
    files = an_active_key()
    files["act"] = activation(files["permit"], STATION, 8)
    assert decide_at(LOCK, files).reason is Reason.BAD_ACTIVATION
    files |= {"boxcert": certificate(8, BOX, Role.ACTIVATION_BOX)}
    assert decide_at(LOCK, files).reason is Reason.BAD_ACTIVATION


@pytest.mark.parametrize(
    ("name", "now_s"),
    [("id", NOW_S - 10), ("permit", NOW_S - 10), ("block", NOW_S - 10)],
)
def test_clock_behind_each_of_the_three_records_that_central_issues_to_a_key(name: str, now_s: int) -> None:
    files = an_active_key()
    later = {
        "id": central(KeyRecord(NOW_S, 41, KeyKind.PERSONAL, 4, 812)),
        "permit": central(Permit(NOW_S + 99, 0, NOW_S, 812, 1, (3,), (), (), b"t" * 16, Category.PERMANENT)),
        "block": blocklist(1, issued=NOW_S),
    }
    files[name] = later[name]
    files["act"] = activation(files["permit"])
    assert decide_at(LOCK, files, now_s).reason is Reason.CLOCK_BEHIND
    assert decide_at(LOCK, files, NOW_S).opened


@pytest.mark.parametrize(("seconds", "reason"), [(661 * 60, Reason.OPENED), (661 * 60 + 1, Reason.TOO_LONG)])
def test_no_station_can_sign_for_more_than_eleven_hours(seconds: int, reason: Reason) -> None:
    files = an_active_key()
    files["act"] = activation(files["permit"], expires=NOW_S - 60 + seconds)
    assert decide_at(LOCK, files).reason is reason


def test_a_permit_ends_at_its_second() -> None:
    files = an_active_key()
    files["permit"] = central(Permit(NOW_S + 1, 0, 0, 812, 1, (3,), (), (), b"t" * 16, Category.PERMANENT))
    files["act"] = activation(files["permit"])
    assert decide_at(LOCK, files).opened
    assert decide_at(LOCK, files, NOW_S + 1).reason is Reason.PERMIT_EXPIRED


def test_a_permit_that_is_not_yet_in_force() -> None:
    files = an_active_key()
    files["permit"] = central(Permit(NOW_S + 9, NOW_S + 1, 0, 812, 1, (3,), (), (), b"t" * 16, Category.PERMANENT))
    files["act"] = activation(files["permit"])
    assert decide_at(LOCK, files).reason is Reason.PERMIT_EXPIRED
    assert decide_at(LOCK, files, NOW_S + 1).opened


@pytest.mark.parametrize("empty", [b"", b"\0"])
@pytest.mark.parametrize("name", ["id", "act", "permit", "cert"])
def test_an_empty_file_is_a_missing_file(name: str, empty: bytes) -> None:
    files = an_active_key()
    without = {other: record for other, record in files.items() if other != name}
    assert decide_at(LOCK, files | {name: empty}) == decide_at(LOCK, without)
    assert not decide_at(LOCK, without).opened


def a_key_with_a_secret() -> dict[str, bytes]:
    return an_active_key() | {"id": central(KeyRecord(NOW_S - 99, 41, KeyKind.PERSONAL, 4, 812, SECRET.public))}


def proving(files: dict[str, bytes], time_s: int | None = NOW_S, secret: SigningKey = SECRET) -> KeyProof:
    return key_proof(secret, NONCE, files.get("act", b""), time_s)


def decide_with(files: dict[str, bytes], proof: KeyProof | None, now_s: int = NOW_S) -> Reason:
    return decide(envelope, [CENTRAL.public], files, LOCK, now_s, button=True, proof=proof).reason


def test_copied_files_do_not_open() -> None:
    files = a_key_with_a_secret()
    assert decide_with(files, None) is Reason.NOT_GENUINE
    assert decide_with(files, proving(files, secret=STATION)) is Reason.NOT_GENUINE
    assert decide_with(files, proving(files)) is Reason.OPENED


@pytest.mark.parametrize(("apart_s", "reason"), [(5, Reason.OPENED), (6, Reason.NOT_GENUINE)])
def test_a_clock_turned_between_its_reading_and_the_proof(apart_s: int, reason: Reason) -> None:
    files = a_key_with_a_secret()
    assert decide_with(files, proving(files, NOW_S - apart_s)) is reason
    assert decide_with(files, proving(files, NOW_S + apart_s)) is reason


def test_an_activation_exchanged_after_the_proof() -> None:
    files = a_key_with_a_secret()
    switched_off = proving(files | {"act": b"\0"})
    assert decide_with(files, switched_off) is Reason.NOT_GENUINE
    assert decide_with(files | {"act": b"\0"}, switched_off) is Reason.NOT_ACTIVE
    assert decide_with(files, key_proof(SECRET, NONCE, b"", NOW_S)) is Reason.NOT_GENUINE


def test_a_key_without_an_act_file_proves_itself_over_no_bytes() -> None:
    files = a_key_with_a_secret()
    del files["act"]
    assert decide_with(files, key_proof(SECRET, NONCE, b"", NOW_S)) is Reason.NOT_ACTIVE


def test_the_clock_and_the_button_go_before_the_proof() -> None:
    files = a_key_with_a_secret()
    assert decide(envelope, [CENTRAL.public], files, LOCK, None, button=True).reason is Reason.CLOCK_UNSET
    assert decide(envelope, [CENTRAL.public], files, LOCK, NOW_S, button=False).reason is Reason.NOT_AWAKE


def test_rules_3_to_9_with_and_without_the_proof() -> None:
    files, ring = a_key_with_a_secret(), [CENTRAL.public]
    assert activation_of(envelope, ring, files, NOW_S).refusal is None
    assert proven_activation_of(envelope, ring, files, NOW_S, proof=None).refusal is Reason.NOT_GENUINE
    assert proven_activation_of(envelope, ring, files, NOW_S, proof=proving(files)).refusal is None
    forged = files | {"id": files["id"][:-1]}
    assert proven_activation_of(envelope, ring, forged, NOW_S, proof=None).refusal is Reason.BAD_KEY_RECORD
