"""Signed records by themselves: what is signed comes back, and nothing else gets through."""

import hashlib
from collections.abc import Iterator

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.records import envelope
from station.records.claims import (
    Activation,
    Blocklist,
    Category,
    CentralKey,
    Claims,
    ClockSource,
    Head,
    KeyKind,
    KeyRecord,
    LogPosition,
    Permit,
    Role,
    StationCertificate,
    Sync,
    TimeAnswer,
    Window,
)
from station.records.envelope import RecordError, digest, sign, verified, verify
from station.records.keys import SigningKey
from tests.records.strategies import CLAIMS

KEY, OTHER = SigningKey(b"\1" * 32), SigningKey(b"\2" * 32)
SIGNERS = (OTHER.public, KEY.public)
NOW_S = 1_800_000_000

ONE_OF_EACH: tuple[Claims, ...] = (
    KeyRecord(NOW_S, 4107, KeyKind.PERSONAL, 4, 812, KEY.public),
    Permit(
        NOW_S, NOW_S, NOW_S, 812, 18, (3, 5), (101, 102, 9000), (Window(31, 390, 1320),), b"t" * 16, Category.HOURLY
    ),
    StationCertificate(NOW_S, NOW_S, 4, 7, KEY.public, Role.UPDATE_BOX),
    Activation(NOW_S, NOW_S, 4107, 812, b"d" * 16, 7, ClockSource.HOLDOVER, 41),
    Sync(NOW_S, 4107, 7),
    Blocklist(NOW_S, NOW_S, 9, (55, 4000), (3,)),
    TimeAnswer(NOW_S, b"n" * 16),
    Head(NOW_S, 7, 4711, b"n" * 16, 1234, b"d" * 32, 4107, LogPosition(3, 41)),
    CentralKey(NOW_S, OTHER.public, 2),
)
by_type = pytest.mark.parametrize("claims", ONE_OF_EACH, ids=lambda c: c.TYPE)


def refused(kind: type[Claims], record: bytes) -> str:
    """The code with which the record is refused."""
    with pytest.raises(RecordError) as error:
        verify(kind, record, SIGNERS)
    return error.value.code


def signed_as_it_is(record_type: str, payload: bytes, key: SigningKey = KEY) -> bytes:
    """A record that a careless or hostile signer could make: any payload, rightly signed."""
    protected = envelope._protected(key.public)
    signature = key.sign(envelope._to_be_signed(record_type, protected, payload))
    return cbor2.dumps([protected, {}, payload, signature])


@pytest.mark.parametrize("kind", CLAIMS, ids=lambda k: k.TYPE)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_is_signed_comes_back(kind: type[Claims], data: st.DataObject) -> None:
    claims = data.draw(CLAIMS[kind])
    record = sign(claims, KEY)
    assert verify(kind, record, SIGNERS) == claims
    assert verified(kind, record, SIGNERS) == claims
    assert sign(claims, KEY) == record


@pytest.mark.parametrize("kind", CLAIMS, ids=lambda k: k.TYPE)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_changed_byte_is_refused(kind: type[Claims], data: st.DataObject) -> None:
    record = bytearray(sign(data.draw(CLAIMS[kind]), KEY))
    record[data.draw(st.integers(0, len(record) - 1))] ^= data.draw(st.integers(1, 255))
    assert verified(kind, bytes(record), SIGNERS) is None


def damaged(record: bytes) -> Iterator[bytes]:
    """Every record that is one byte away: changed in each bit, shortened to each length, longer by one."""
    for position in range(len(record)):
        for bit in range(8):
            changed = bytearray(record)
            changed[position] ^= 1 << bit
            yield bytes(changed)
        yield record[:position]
        yield record[:position] + record[position + 1 :]
    yield from (record + bytes([last]) for last in range(256))


@by_type
def test_every_record_one_byte_away_is_refused(claims: Claims) -> None:
    record = sign(claims, KEY)
    assert verified(type(claims), record, SIGNERS) == claims
    assert [d.hex() for d in damaged(record) if verified(type(claims), d, SIGNERS) is not None] == []


@by_type
def test_no_record_passes_for_another_type(claims: Claims) -> None:
    record = sign(claims, KEY)
    others = [kind for kind in CLAIMS if kind is not type(claims)]
    assert [kind.TYPE for kind in others if verified(kind, record, SIGNERS) is not None] == []


@by_type
def test_no_claim_is_left_out_or_added(claims: Claims) -> None:
    payload = claims.to_map()
    own_public_key = 36
    for number in payload.keys() - {own_public_key}:
        less = {n: v for n, v in payload.items() if n != number}
        assert refused(type(claims), signed_as_it_is(claims.TYPE, cbor2.dumps(less, canonical=True))) == "record_claims"
    more = payload | {99: 1}
    assert refused(type(claims), signed_as_it_is(claims.TYPE, cbor2.dumps(more, canonical=True))) == "record_claims"


@by_type
def test_only_the_named_signers_are_believed(claims: Claims) -> None:
    record = sign(claims, KEY)
    assert verified(type(claims), record, [OTHER.public]) is None
    assert verified(type(claims), record, []) is None


@settings(max_examples=200, deadline=None)
@given(record=st.binary(max_size=300))
def test_noise_is_refused_and_nothing_else_happens(record: bytes) -> None:
    assert verified(Sync, record, SIGNERS) is None


cbor_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.binary(max_size=40), st.text(max_size=9)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.one_of(st.sampled_from([6, 10, 31]), st.integers(), st.text(max_size=3)), inner, max_size=5),
        st.builds(cbor2.CBORTag, st.integers(1000, 9999), inner),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(value=cbor_values)
def test_a_rightly_signed_payload_of_anything_is_refused_or_deterministic(value: object) -> None:
    payload = cbor2.dumps(value)
    claims = verified(Sync, signed_as_it_is("sync/1", payload), SIGNERS)
    assert claims is None or cbor2.dumps(claims.to_map(), canonical=True) == payload


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x9f" * 200, id="nested_for_ever"),
        pytest.param(b"\x81" * 3000, id="deeper_than_the_stack"),
        pytest.param(b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", id="a_string_longer_than_memory"),
        pytest.param(b"\xc1\xfb\x7e\x37\xe4\x3c\x88\x00\x75\x9c", id="a_date_out_of_range"),
        pytest.param(b"\xc4\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01", id="a_decimal_too_large"),
        pytest.param(b"\xa1\xa0\x00", id="a_map_for_a_map_key"),
    ],
)
def test_hostile_cbor_is_refused_inside_and_outside(payload: bytes) -> None:
    assert refused(Sync, payload).startswith("record_")
    assert refused(Sync, signed_as_it_is("sync/1", payload)).startswith("record_")


def test_a_float_that_equals_a_claim_number_is_not_one() -> None:
    payload = cbor2.dumps({6.0: NOW_S, 10: 41, 31: 7})
    assert refused(Sync, signed_as_it_is("sync/1", payload)) == "record_not_deterministic"


@pytest.mark.parametrize("value", [[b"", {}, b""], {}, [b"", {}, b"", 7], [b"", {}, [], b""], [[], {}, b"", b""]])
def test_not_four_byte_strings(value: object) -> None:
    assert refused(Sync, cbor2.dumps(value)) == "record_malformed"


def test_a_signer_that_is_no_point_of_the_curve() -> None:
    # The record names this "key" rightly; it must end in a refusal, not in the signature library's own error.
    short = b"short"
    protected = envelope._protected(short)
    record = cbor2.dumps([protected, {}, b"\xa0", b"s" * 64])
    assert verified(Sync, record, [short]) is None


def test_limits() -> None:
    keys = tuple(range(1, 3 * 1000 * 40, 40))
    longest = Blocklist(NOW_S, NOW_S, 1, keys, ())
    record = sign(longest, KEY)
    assert 4096 < len(record) < 16384
    assert verify(Blocklist, record, SIGNERS) == longest
    assert refused(Sync, record) == "record_too_long"
    far_apart = Blocklist(NOW_S, NOW_S, 1, tuple(n * 1_400_000 for n in range(1, 3001)), ())
    assert len(sign(far_apart, KEY)) < 16384
    areas = tuple(n * 70_000 for n in range(1, 1001))
    permit = Permit(NOW_S, 0, 0, 1, 1, areas, areas, (), b"t" * 16, Category.HOURLY)
    with pytest.raises(RecordError) as error:
        sign(permit, KEY)
    assert error.value.code == "record_too_long"


def test_claims_out_of_range_are_not_signed() -> None:
    with pytest.raises(RecordError) as error:
        sign(Sync(NOW_S, 0, 7), KEY)
    assert str(error.value) == "record_claims type=sync/1"


@pytest.mark.parametrize("record", [None, b""])
def test_a_missing_record(record: bytes | None) -> None:
    assert verified(Sync, record, SIGNERS) is None


def test_digest() -> None:
    assert digest(b"record") == hashlib.sha256(b"record").digest()[:16]
