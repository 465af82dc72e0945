"""POST /enrol and what codes promise, against a real server."""

import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from central.actions.codes import ALPHABET, new_enrolment_code
from central.actions.stations import enrol_station, revoke_station
from central.errors import Refused
from central.models import Blocklist, EnrolmentCode
from central.signing.records import sign_certificate
from station.records.base64url import decoded, encoded
from station.records.claims import Blocklist as BlocklistClaims
from station.records.claims import Role, StationCertificate
from station.records.envelope import RecordError, verify
from station.records.keys import SigningKey
from station.records.proofs import enrolment_proof
from tests.central.served import Caller, Served

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "ids.json").read_text())


def code_for(station: Any) -> Any:
    return new_enrolment_code(station)


def test_enrolling_gives_all_that_a_station_needs(site: SimpleNamespace, caller: Caller) -> None:
    answer = caller.enrol(code_for(site.station))
    assert answer.status_code == 201
    body = answer.json()
    assert (body["station"], body["site"], body["role"]) == (1, site.site.number, 0)
    signers = [decoded(key) for key in body["central_keys"]]
    certificate = verify(StationCertificate, decoded(body["certificate"]), signers)
    assert certificate.public_key == caller.key.public
    assert certificate.role is Role.SYNC_STATION
    assert certificate.expires - certificate.issued == 60 * 86400
    assert len(decoded(body["pin"]["site_salt"])) == 16
    assert [len(decoded(each["pepper"])) for each in body["pin"]["peppers"]] == [32]
    assert body["pin"]["argon2"] == {"time": 2, "memory_kib": 19456, "lanes": 1}
    assert set(body) == {"station", "site", "role", "token", "certificate", "central_keys", "pin"}


def test_the_same_code_and_key_give_the_same_answer(site: SimpleNamespace, caller: Caller) -> None:
    code = code_for(site.station)
    first = caller.enrol(code).json()
    again = caller.enrol(code.lower())
    assert again.status_code == 201
    assert again.json() == first
    assert site.station.tokens.count() == 1


def test_after_the_first_use_of_the_token_nobody_gets_it_again(site: SimpleNamespace, caller: Caller) -> None:
    code = code_for(site.station)
    assert [caller.enrol(code).status_code for _ in range(2)] == [201, 201]
    assert caller.http.get("/pin").status_code == 200
    answer = caller.enrol(code)
    assert (answer.status_code, answer.json()["error"]) == (410, "code_spent")
    assert caller.http.get("/pin").status_code == 200


def test_a_token_that_a_newer_one_has_replaced_is_not_given_again(site: SimpleNamespace, caller: Caller) -> None:
    first = code_for(site.station)
    assert caller.enrol(first).status_code == 201
    assert caller.enrol(code_for(site.station)).status_code == 201
    assert caller.enrol(first).status_code == 410


def asked(caller: Caller, code: str, public_key: bytes, proof: bytes) -> Any:
    body = {"code": code, "public_key": encoded(public_key), "proof": encoded(proof)}
    answer = caller.http.post("/enrol", json=body)
    return answer.status_code, answer.json().get("error")


def test_who_only_knows_the_public_key_gets_nothing(site: SimpleNamespace, caller: Caller) -> None:
    """A public key is on every key in the site: whoever saw the code, and sent it again, got the token."""
    code = code_for(site.station)
    thief = SigningKey.generate()
    assert caller.enrol(code).status_code == 201
    for proof in (enrolment_proof(code, thief), enrolment_proof(f"{code}0", caller.key), bytes(64)):
        assert asked(caller, code, caller.key.public, proof) == (403, "bad_proof")
    # The proof comes first: not even whether there is such a code is said, and no try of its is used up.
    assert asked(caller, "QQQQ-QQQQQQQQQQ", caller.key.public, bytes(64)) == (403, "bad_proof")
    assert EnrolmentCode.objects.get(ident=code[:4]).tries == 0


SMALL_ORDER = [v for v in VECTORS["enrolments"] if "small_order" in v["name"] or v["name"] == "public_key_is_no_point"]


@pytest.mark.parametrize("vector", SMALL_ORDER, ids=lambda v: v["name"])
def test_a_key_that_anybody_signs_for_is_not_certified(site: SimpleNamespace, vector: dict[str, Any]) -> None:
    key, proof = bytes.fromhex(vector["public_key_hex"]), bytes.fromhex(vector["proof_hex"])
    with pytest.raises(Refused, match="bad_proof"):
        enrol_station(vector["code"], key, proof, 1_790_000_000)
    # And whoever forgets to ask for the proof: it cannot be signed.
    with pytest.raises(RecordError, match="record_claims"):
        sign_certificate(site.station, key, 1_790_000_000)


def test_a_used_code_is_spent_for_another_key(site: SimpleNamespace, caller: Caller) -> None:
    code = code_for(site.station)
    caller.enrol(code)
    answer = replace(caller, key=SigningKey.generate()).enrol(code)
    assert (answer.status_code, answer.json()["error"]) == (410, "code_spent")


def test_a_code_ends_after_fifteen_minutes_also_for_its_user(site: SimpleNamespace, caller: Caller) -> None:
    code = code_for(site.station)
    assert caller.enrol(code).status_code == 201
    row = EnrolmentCode.objects.filter(ident=code[:4])
    assert row.get().expires_at - row.get().created_at == 15 * 60
    row.update(expires_at=row.get().created_at)
    assert caller.enrol(code).status_code == 410


def test_five_wrong_tries_end_a_code(site: SimpleNamespace, caller: Caller) -> None:
    code = code_for(site.station)
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    assert [caller.enrol(wrong).status_code for _ in range(6)] == [403] * 5 + [429]
    answer = caller.enrol(code)
    assert (answer.status_code, answer.json()["error"]) == (429, "too_many_tries")
    assert "Retry-After" in answer.headers


def test_right_ones_are_not_counted_as_tries(site: SimpleNamespace, caller: Caller) -> None:
    code = code_for(site.station)
    assert {caller.enrol(code).status_code for _ in range(8)} == {201}


def test_an_unknown_code_and_a_malformed_call(served: Served, caller: Caller) -> None:
    assert caller.enrol("QQQQ-QQQQQQQQQQ").json()["error"] == "bad_code"
    assert caller.http.post("/enrol", json={"code": "QQQQ-QQQQQQQQQQ"}).status_code == 400
    short = caller.http.post("/enrol", json={"code": "QQQQ-QQQQQQQQQQ", "public_key": "AAAA"})
    assert (short.status_code, short.json()["error"]) == (400, "bad_request")


def test_a_code_has_more_than_forty_bits_and_only_its_hash_is_kept(site: SimpleNamespace) -> None:
    code = code_for(site.station)
    ident, secret = code.split("-")
    assert len(ALPHABET) ** len(secret) >= 2**40
    kept = EnrolmentCode.objects.get(ident=ident)
    assert secret not in str(vars(kept))


def test_only_the_hash_of_a_token_is_kept(site: SimpleNamespace, enrolled: Caller) -> None:
    token = enrolled.enrolled["token"]
    assert [t.sha256 for t in site.station.tokens.all()] == [hashlib.sha256(token.encode()).hexdigest()]


def test_two_tokens_overlap_when_a_station_is_enrolled_anew(
    site: SimpleNamespace, enrolled: Caller, caller: Caller
) -> None:
    old = dict(enrolled.http.headers)["authorization"]
    assert enrolled.enrol(code_for(site.station)).status_code == 201
    for authorization in (old, enrolled.http.headers["authorization"]):
        answer = enrolled.http.post("/certificate", headers={"Authorization": authorization})
        assert answer.status_code == 409
    assert enrolled.enrol(code_for(site.station)).status_code == 201
    assert enrolled.http.post("/certificate", headers={"Authorization": old}).status_code == 401


def test_the_old_token_is_good_for_a_day(site: SimpleNamespace, enrolled: Caller) -> None:
    old = dict(enrolled.http.headers)["authorization"]
    assert enrolled.enrol(code_for(site.station)).status_code == 201
    (ends,) = [token for token in site.station.tokens.all() if token.expires_at is not None]
    assert ends.expires_at - int(time.time()) in range(86300, 86401)

    def asked_with(authorization: str) -> tuple[int, str | None]:
        answer = enrolled.http.post("/certificate", headers={"Authorization": authorization})
        return answer.status_code, answer.json().get("error")

    assert asked_with(old) == (409, "too_early"), "both are good"
    ends.expires_at = int(time.time())
    ends.save()
    assert asked_with(old) == (401, "unauthorized")
    assert asked_with(enrolled.http.headers["authorization"]) == (409, "too_early")


def test_no_or_a_wrong_token_is_401(served: Served, caller: Caller) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
        answer = caller.http.get("/mirror/snapshot", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


def test_a_stolen_station_is_shut_out_and_blocked(site: SimpleNamespace, enrolled: Caller) -> None:
    revoke_station(site.station)
    assert enrolled.http.get("/mirror/snapshot").status_code == 401
    record = bytes(Blocklist.objects.get(site=site.site).record)
    assert verify(BlocklistClaims, record, [bytes(site.site.public_key)]).blocked_stations == (1,)
