"""What confirms a mirror: the contract's examples, and the answers that only look like a confirmation."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from station.records.central_chain import CentralChain, ChainKey, KeyStatus
from station.records.claims import Head, LogPosition
from station.records.envelope import claimed, sign
from station.records.keys import SigningKey
from station.records.mirror_digest import MirrorSum
from station.records.mirror_head import Call, HeadRefusal, Holding, confirming_head, readable_head

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "head.json").read_text())["heads"]
CENTRAL = SigningKey(b"\1" * 32)
NOW_S = 1_800_000_000
CALL = Call(7, b"n" * 16, 4107)
MIRROR = MirrorSum().changed([b"h" * 32])
HOLDING = Holding(MIRROR.count, MIRROR.digest(), newest_confirmed=4700, now_s=NOW_S)
HEAD = Head(NOW_S, 7, 4711, CALL.nonce, MIRROR.count, MIRROR.digest(), 4107, LogPosition(3, 41))
WITHOUT_LOG = replace(HEAD, key=None, log_seen=None)


def judged(head: Head, call: Call = CALL, holding: Holding = HOLDING) -> Head | HeadRefusal:
    return confirming_head(sign(head, CENTRAL), CENTRAL.public, call, holding)


def known_chain(vector: dict[str, Any]) -> CentralChain:
    keys = vector["known_keys"]
    return CentralChain(tuple(ChainKey(bytes.fromhex(k["public_hex"]), KeyStatus(k["status"])) for k in keys))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_vector(vector: dict[str, Any]) -> None:
    record = bytes.fromhex(vector["head_hex"])
    said = claimed(Head, record)
    # Which key the call named, the vectors do not say: the one that the head is about.
    call = Call(vector["station"], bytes.fromhex(vector["nonce_hex"]), said.key if said else None)
    holding = Holding(vector["count"], bytes.fromhex(vector["digest"]), vector["newest_confirmed"], now_s=vector["now"])
    signer = known_chain(vector).extended(vector["central_keys"]).head_signer()
    head = confirming_head(record, signer, call, holding)
    if vector["result"] == "confirmed":
        assert isinstance(head, Head)
        assert head == said
    else:
        assert head == HeadRefusal(vector["result"])


def test_confirmed() -> None:
    assert judged(HEAD) == HEAD
    assert judged(WITHOUT_LOG) == WITHOUT_LOG


def test_a_log_of_a_key_that_the_call_did_not_name() -> None:
    assert judged(replace(HEAD, key=4108)) is HeadRefusal.BAD_HEAD
    assert judged(HEAD, replace(CALL, key=None)) is HeadRefusal.BAD_HEAD


def test_without_a_current_key_nothing_is_confirmed() -> None:
    assert confirming_head(sign(HEAD, CENTRAL), None, CALL, HOLDING) is HeadRefusal.BAD_HEAD


@pytest.mark.parametrize("record", [b"", b"\0", b"noise"])
def test_no_head(record: bytes) -> None:
    assert confirming_head(record, CENTRAL.public, CALL, HOLDING) is HeadRefusal.BAD_HEAD


def test_the_first_that_fails_is_the_reason() -> None:
    wrong = Head(NOW_S + 301, 8, 4699, b"m" * 16, 7, bytes(32))
    other = SigningKey(b"\2" * 32).public
    assert confirming_head(sign(wrong, CENTRAL), other, CALL, HOLDING) is HeadRefusal.BAD_HEAD
    for better, reason in [
        ({}, HeadRefusal.WRONG_STATION),
        ({"station": 7}, HeadRefusal.WRONG_NONCE),
        ({"nonce": CALL.nonce}, HeadRefusal.FROM_THE_FUTURE),
        ({"issued": NOW_S}, HeadRefusal.OLDER_THAN_CONFIRMED),
        ({"version": 4700}, HeadRefusal.DISAGREES),
        ({"count": MIRROR.count}, HeadRefusal.DISAGREES),
    ]:
        wrong = replace(wrong, **better)  # type: ignore[arg-type]
        assert judged(wrong) is reason
    assert judged(replace(wrong, mirror_digest=MIRROR.digest())) == replace(wrong, mirror_digest=MIRROR.digest())


def test_version_rollback_in_a_snapshot_is_for_a_new_epoch_to_judge() -> None:
    assert judged(replace(HEAD, version=1)) is HeadRefusal.OLDER_THAN_CONFIRMED
    assert judged(replace(HEAD, version=1), holding=replace(HOLDING, newest_confirmed=None)) == replace(HEAD, version=1)


def test_an_answer_that_came_too_late_tells_only_of_the_log() -> None:
    stale = replace(HEAD, issued=NOW_S + 999, version=1, count=0)
    assert readable_head(sign(stale, CENTRAL), CENTRAL.public, CALL) == stale
    for wrong, reason in [
        (replace(stale, station=8), HeadRefusal.WRONG_STATION),
        (replace(stale, nonce=b"m" * 16), HeadRefusal.WRONG_NONCE),
        (replace(stale, key=4108), HeadRefusal.BAD_HEAD),
    ]:
        assert readable_head(sign(wrong, CENTRAL), CENTRAL.public, CALL) is reason
