"""POST /provision: codes of ten digits, and keys that prove themselves. Against a real server."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from central.actions.codes import new_enrolment_code
from central.actions.hand_out import new_provision_code
from central.actions.keys import block_key
from central.feed import change, change_and_sign
from central.models import Key, ProvisionCode, Station, TryCount
from central.signing.records import sign_key_record
from station.records.base64url import decoded, encoded
from station.records.claims import KeyRecord
from station.records.envelope import verify
from station.records.keys import SigningKey
from station.records.proofs import act_digest, key_proof, provision_nonce
from tests.central.served import Caller, Served

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "ids.json").read_text())["provisions"]
SECRET = SigningKey(bytes(range(32)))


def blank_key(site: SimpleNamespace, number: int = 77) -> Any:
    with change_and_sign():
        key = Key(site=site.site, number=number, kind=1, unit=site.unit)
        key.save()
    return key


def ask(caller: Caller, code: str, **more: Any) -> tuple[int, Any]:
    """Status, and the error or the key."""
    answer = caller.http.post("/provision", json={"code": code, **more})
    return answer.status_code, answer.json().get("error") or answer.json()["key"]


def proven(code: str, key: SigningKey = SECRET, act: bytes = b"\0", time_s: int | None = None) -> dict[str, Any]:
    signature = key_proof(key, provision_nonce(code), act, time_s).signature
    return {
        "key_public": encoded(key.public),
        "proof": {"a": encoded(act_digest(act)), "t": time_s, "s": encoded(signature)},
    }


def record_in(caller: Caller, told: Any) -> KeyRecord:
    return verify(KeyRecord, decoded(told["record"]), [decoded(key) for key in caller.enrolled["central_keys"]])


def test_a_key_is_handed_out_with_ten_digits(site: SimpleNamespace, enrolled: Caller) -> None:
    code = new_provision_code(blank_key(site))
    assert (len(code), code.isdecimal()) == (10, True)
    assert code not in str(vars(ProvisionCode.objects.get(key__site=site.site)))
    before = enrolled.snapshot()
    assert ("key", 77) not in {(o["type"], o["id"]) for o in before["objects"]}
    status, told = ask(enrolled, code)
    assert (status, told["id"], told["kind"], told["status"]) == (200, 77, 1, "active")
    record = record_in(enrolled, told)
    assert (record.key, record.unit, record.holder, record.key_public) == (77, 1, None, None)
    assert told in enrolled.snapshot()["objects"]
    assert ask(enrolled, code) == (200, told)


def test_five_wrong_codes_of_a_station_and_it_waits(site: SimpleNamespace, enrolled: Caller) -> None:
    code = new_provision_code(blank_key(site))
    wrong = f"{(int(code) + 1) % 10**10:010}"
    assert ask(enrolled, code)[0] == 200
    for shown in (wrong, new_enrolment_code(site.station), "\u0661" * 10, "", code[:9]):
        assert ask(enrolled, shown) == (403, "bad_code")
        # The right one, asked again, gives no try back but its own.
        assert ask(enrolled, code)[0] == 200 or shown == code[:9]
    answer = enrolled.http.post("/provision", json={"code": code})
    assert (answer.status_code, answer.json()["error"]) == (429, "too_many_tries")
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    TryCount.objects.filter(bucket__startswith="provision:").delete()
    assert ask(enrolled, code)[0] == 200


def test_a_code_ends_after_fifteen_minutes(site: SimpleNamespace, enrolled: Caller) -> None:
    code = new_provision_code(blank_key(site))
    row = ProvisionCode.objects.filter(key__site=site.site)
    assert row.get().expires_at - row.get().created_at == 15 * 60
    row.update(expires_at=row.get().created_at)
    assert ask(enrolled, code) == (410, "code_spent")


def test_another_sites_code_is_none_here(served: Served, site: SimpleNamespace, enrolled: Caller) -> None:
    elsewhere = Key.objects.filter(site__number=1, status="blank")[0]
    assert ask(enrolled, new_provision_code(elsewhere)) == (403, "bad_code")
    elsewhere.refresh_from_db()
    assert (elsewhere.status, elsewhere.record) == ("blank", None)


def test_a_used_code_is_spent_for_another_station(site: SimpleNamespace, enrolled: Caller, caller: Caller) -> None:
    code = new_provision_code(blank_key(site))
    assert ask(enrolled, code)[0] == 200
    with change_and_sign():
        other = Station(site=site.site, number=2, name="Källaren", unit=site.unit)
        other.save()
    assert caller.enrol(new_enrolment_code(other)).status_code == 201
    assert ask(caller, code) == (410, "code_spent")


def test_a_blocked_key_and_a_box_hand_out_nothing(site: SimpleNamespace, enrolled: Caller) -> None:
    key = blank_key(site)
    code = new_provision_code(key)
    block_key(key)
    assert ask(enrolled, code) == (410, "code_spent")
    with change_and_sign():
        site.station.role = 1
        site.station.save()
    assert ask(enrolled, code) == (403, "forbidden")


@pytest.mark.parametrize("act", [b"", b"\0", b"a record"])
@pytest.mark.parametrize("time_s", [None, 0, 1_795_000_000])
def test_a_key_that_proves_itself_has_its_public_key_in_every_record(
    site: SimpleNamespace, enrolled: Caller, act: bytes, time_s: int | None
) -> None:
    key = blank_key(site)
    code = new_provision_code(key)
    status, told = ask(enrolled, code, **proven(code, act=act, time_s=time_s))
    assert status == 200
    assert record_in(enrolled, told).key_public == SECRET.public
    # The first answer was lost: the same for the same key, and for no other.
    assert ask(enrolled, code, **proven(code, act=act, time_s=time_s)) == (200, told)
    assert ask(enrolled, code) == (410, "code_spent")
    assert ask(enrolled, code, **proven(code, SigningKey(bytes(32)))) == (410, "code_spent")
    with change():
        key.refresh_from_db()
        sign_key_record(key, 1_900_000_000)
    (again,) = [o for o in enrolled.snapshot()["objects"] if (o["type"], o["id"]) == ("key", 77)]
    assert (record_in(enrolled, again).issued, record_in(enrolled, again).key_public) == (1_900_000_000, SECRET.public)


def test_what_is_not_proven_is_not_signed(site: SimpleNamespace, enrolled: Caller) -> None:
    key = blank_key(site)
    code = new_provision_code(key)
    good = proven(code)
    wrong: list[dict[str, Any]] = [
        {"key_public": good["key_public"]},
        {"proof": good["proof"]},
        proven(f"{(int(code) + 1) % 10**10:010}"),
        good | {"key_public": encoded(SigningKey(bytes(32)).public)},
        good | {"proof": good["proof"] | {"t": 5}},
        good | {"proof": good["proof"] | {"a": encoded(act_digest(b"other"))}},
    ]
    for each in wrong:
        assert ask(enrolled, code, **each) == (403, "bad_proof")
    for t in (-1, 1.5, "5", True, 2**64):
        assert ask(enrolled, code, **good | {"proof": good["proof"] | {"t": t}}) == (400, "bad_request")
    key.refresh_from_db()
    assert (key.record, key.key_public, ProvisionCode.objects.get(key=key).used_at) == (None, None, None)
    assert ask(enrolled, code, **good)[0] == 200


@pytest.mark.parametrize("vector", [v for v in VECTORS if "small_order" in v["name"]], ids=lambda v: v["name"])
def test_a_public_key_that_anybody_signs_for_is_not_certified(
    site: SimpleNamespace, enrolled: Caller, vector: dict[str, Any]
) -> None:
    proof = vector["proof"]
    told = {
        "key_public": encoded(bytes.fromhex(vector["key_public_hex"])),
        "proof": {
            "a": encoded(bytes.fromhex(proof["a_hex"])),
            "t": proof["t"],
            "s": encoded(bytes.fromhex(proof["s_hex"])),
        },
    }
    assert ask(enrolled, vector["code"], **told) == (403, "bad_proof")


def test_a_number_that_had_a_record_without_a_public_key_never_gets_one(
    site: SimpleNamespace, enrolled: Caller
) -> None:
    """Records do not end: a copy of the older ``id`` would open, whatever the newer one asks for."""
    key = blank_key(site)
    assert ask(enrolled, new_provision_code(key))[0] == 200
    code = new_provision_code(key)
    assert ask(enrolled, code, **proven(code)) == (409, "number_taken")
    assert ask(enrolled, code)[0] == 200


def test_a_number_keeps_its_public_key(site: SimpleNamespace, enrolled: Caller) -> None:
    key = blank_key(site)
    code = new_provision_code(key)
    assert ask(enrolled, code, **proven(code))[0] == 200
    code = new_provision_code(key)
    assert ask(enrolled, code, **proven(code, SigningKey(bytes(32)))) == (409, "number_taken")
    assert ask(enrolled, code) == (409, "number_taken")
    status, told = ask(enrolled, code, **proven(code))
    assert (status, record_in(enrolled, told).key_public) == (200, SECRET.public)


def test_two_numbers_never_share_a_public_key(site: SimpleNamespace, enrolled: Caller) -> None:
    first, second = (new_provision_code(blank_key(site, number)) for number in (77, 78))
    assert ask(enrolled, first, **proven(first))[0] == 200
    assert ask(enrolled, second, **proven(second)) == (409, "number_taken")
    assert ask(enrolled, second, **proven(second, SigningKey(bytes(32))))[0] == 200
