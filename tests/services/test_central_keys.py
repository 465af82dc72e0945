"""Central's keys change along a chain of signatures: followed after any sleep, forked by nobody."""

import json

import pytest

from station.records.base64url import encoded
from station.records.claims import CentralKey
from station.records.envelope import RecordError, sign
from station.records.keys import SigningKey
from station.sync.mirror_commit import CHAIN_NOTE
from tests.received import received, take
from tests.services.lying_central import NOW_S, LyingCentral, refusal
from tests.services.parts import Parts

SMALL_ORDER = bytes([1]) + bytes(31)


@pytest.fixture
def keys(central: LyingCentral) -> list[SigningKey]:
    """K1, with which the station was enrolled, and those to come."""
    central.lies["/certificate"] = refusal(409, "too_early")
    return [central.signing, *(SigningKey.generate() for _ in range(3))]


def verifying(parts: Parts, keys: list[SigningKey]) -> list[int]:
    numbers = {key.public: number for number, key in enumerate(keys, start=1)}
    return [numbers[key] for key in parts.identity.central_keys]


def statuses(parts: Parts) -> list[str]:
    return [key.status.value for key in parts.identity.chain.keys]


def rotate(central: LyingCentral, keys: list[SigningKey], number: int) -> None:
    """The key of this number becomes the next, all is signed anew with it, and it becomes current."""
    central.next_key(number - 1, keys[number - 1], signer=keys[number - 2])
    sign_anew(central, keys[number - 1], number)
    make_current(central, keys, number)


def sign_anew(central: LyingCentral, key: SigningKey, number: int) -> None:
    central.permit(1, 11, 100 + number, signer=key)
    central.key(51, 11, issued=NOW_S - 1000 + number, signer=key)
    central.blocklist(100 + number, signer=key)


def make_current(central: LyingCentral, keys: list[SigningKey], number: int) -> None:
    if number > 2:
        central.key_status(number - 2, "retired")
    central.key_status(number - 1, "current")
    central.signing = keys[number - 1]


async def test_a_change_of_keys_from_beginning_to_end(
    central: LyingCentral, synced: Parts, keys: list[SigningKey]
) -> None:
    first, second, *_ = keys
    central.next_key(1, second, signer=first)
    assert await synced.poll()
    assert (verifying(synced, keys), statuses(synced)) == ([1, 2], ["current", "next"])
    sign_anew(central, second, 2)
    assert await synced.poll()
    assert await synced.reasons() == []

    central.certificate = central.certify(synced.signing.public, NOW_S)
    central.certificate = sign_certificate(central, synced, second)
    del central.lies["/certificate"]
    make_current(central, keys, 2)
    synced.clocks.advance(3600)
    assert await synced.poll()
    assert (verifying(synced, keys), statuses(synced)) == ([2], ["retired", "current"])
    assert synced.identity.certificate == central.certificate, "in time: nobody believes the old key's one for long"
    assert await synced.reasons() == []
    again = await synced.restarted()
    assert (verifying(again, keys), statuses(again)) == ([2], ["retired", "current"])
    # What the old key signs now is worth nothing any more.
    central.blocklist(300, signer=first)
    assert await again.poll()
    assert await again.field("blocklist", 0, "version") == 102
    await again.close()


def sign_certificate(central: LyingCentral, parts: Parts, key: SigningKey) -> bytes:
    before, central.signing = central.signing, key
    made = central.certify(parts.signing.public, NOW_S)
    central.signing = before
    return made


async def test_a_head_by_the_next_key_confirms_nothing(
    central: LyingCentral, synced: Parts, keys: list[SigningKey]
) -> None:
    central.next_key(1, keys[1], signer=keys[0])
    assert await synced.poll()
    before = await synced.on_disk()
    central.signing = keys[1]
    assert not await synced.poll()
    assert await synced.on_disk() == before
    assert await synced.reasons() == ["bad_head"]


async def test_a_head_by_the_key_before_confirms_nothing(
    central: LyingCentral, synced: Parts, keys: list[SigningKey]
) -> None:
    """Who has stolen the old key can keep no station with it."""
    rotate(central, keys, 2)
    assert await synced.poll()
    assert await synced.poll()
    before = await synced.on_disk()
    central.again("key", 51, status="active")
    central.signing = keys[0]
    assert not await synced.poll()
    assert await synced.on_disk() == before


async def test_the_old_key_forks_the_chain(central: LyingCentral, synced: Parts, keys: list[SigningKey]) -> None:
    rotate(central, keys, 2)
    assert await synced.poll()
    mine = SigningKey.generate()
    # In the place of the link that is known, and as a third key; the head, too, is by the thief's own.
    for place in (1, 2):
        before = await synced.on_disk()
        kept = dict(central.objects)
        central.next_key(place, mine, signer=keys[0], status="current")
        central.signing = mine
        synced.clocks.advance(86400)
        assert not await synced.poll()
        assert await synced.on_disk() == before
        assert verifying(synced, keys) == [2]
        central.objects, central.signing = kept, keys[1]
    # Under an honest head it is one bad row, and no link.
    central.next_key(2, mine, signer=keys[0])
    assert await synced.poll()
    assert verifying(synced, keys) == [2]
    assert "object_record_invalid" in await synced.reasons()


async def test_a_status_never_goes_back(central: LyingCentral, synced: Parts, keys: list[SigningKey]) -> None:
    rotate(central, keys, 2)
    rotate(central, keys, 3)
    assert await synced.poll()
    assert statuses(synced) == ["retired", "retired", "current"]
    central.key_status(1, "current")
    central.key_status(2, "next")
    assert await synced.poll()
    assert statuses(synced) == ["retired", "retired", "current"]
    again = await synced.restarted()
    assert statuses(again) == ["retired", "retired", "current"]
    await again.close()


async def test_a_station_that_slept_through_two_changes(
    central: LyingCentral, synced: Parts, keys: list[SigningKey]
) -> None:
    rotate(central, keys, 2)
    rotate(central, keys, 3)
    # Switched on again: central's time, which it asks for first, is by a key that it has never heard of.
    synced.clocks.turn(boot_id="boot-b")
    again = await synced.restarted()
    assert verifying(again, keys) == [1]
    assert await again.poll()
    assert (verifying(again, keys), statuses(again)) == ([3], ["retired", "retired", "current"])
    assert await again.field("blocklist", 0, "version") == 103
    assert again.time.now().trust is not None
    assert await again.reasons() == []
    await again.close()


async def test_a_first_snapshot_brings_the_chain_in_any_order(
    central: LyingCentral, parts: Parts, keys: list[SigningKey]
) -> None:
    rotate(central, keys, 2)
    rotate(central, keys, 3)
    central.objects = dict(reversed(central.objects.items()))
    assert await parts.poll()
    assert await parts.reasons() == []
    assert verifying(parts, keys) == [3]


async def test_a_station_enrolled_in_the_middle_of_a_change(
    central: LyingCentral, parts: Parts, keys: list[SigningKey]
) -> None:
    again = await parts.restarted(roots=[keys[0].public, keys[1].public])
    assert (verifying(again, keys), statuses(again)) == ([1, 2], ["current", "next"])
    rotate(central, keys, 2)
    assert await again.poll()
    assert verifying(again, keys) == [2]
    await again.close()


@pytest.mark.parametrize("public", [SMALL_ORDER, b"\xff" * 32, bytes(32)], ids=["small", "no_point", "zero"])
async def test_a_next_key_that_anybody_could_sign_for(
    central: LyingCentral, synced: Parts, keys: list[SigningKey], public: bytes
) -> None:
    with pytest.raises(RecordError):
        sign(CentralKey(issued=NOW_S, public_key=public, version=1), keys[0])
    again = await synced.restarted()
    with pytest.raises(RecordError):
        await again.restarted(roots=[public, keys[0].public])


async def test_a_thief_writes_keys_into_the_database(
    central: LyingCentral, synced: Parts, keys: list[SigningKey]
) -> None:
    """Whoever has the disk has no signature: neither note nor rows lead to a key of theirs."""
    mine = SigningKey.generate()
    claims = CentralKey(issued=NOW_S, public_key=mine.public, version=1)
    row = {"type": "central_key", "id": 1, "revision": 1, "status": "current", "record": encoded(sign(claims, mine))}
    await take(synced.store, synced.mirror.state, [received(row)])
    note = [[encoded(keys[0].public), "current"], [encoded(mine.public), "current"]]
    await synced.store.note(CHAIN_NOTE, json.dumps(note))
    again = await synced.restarted()
    assert verifying(again, keys) == [1]
    await again.close()


@pytest.mark.parametrize("note", ["?", "{}", "[1]", '["?"]', '[["AAAA", "current"]]', "[" * 10_000, "null", "5"])
async def test_a_note_that_cannot_be_read(synced: Parts, keys: list[SigningKey], note: str) -> None:
    await synced.store.note(CHAIN_NOTE, note)
    again = await synced.restarted()
    assert verifying(again, keys) == [1]
    assert await again.poll()
    await again.close()
