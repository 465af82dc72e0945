"""The central key changes: by a chain from a key that is trusted, two at a time, also after a restart."""

import pytest

from station.records.base64url import encoded
from station.records.keys import SigningKey
from station.sync.central_keys import KeyChain, chain_of
from station.sync.mirror import CHAIN_NOTE
from tests.services.lying_central import NOW_S, LyingCentral, refusal
from tests.services.parts import Parts


@pytest.fixture
def keys(central: LyingCentral) -> list[SigningKey]:
    """K1, with which the station was enrolled, and those to come."""
    central.lies["/certificate"] = refusal(409, "too_early")
    return [central.signing, *(SigningKey.generate() for _ in range(3))]


def valid(parts: Parts, keys: list[SigningKey]) -> list[int]:
    numbers = {key.public: number for number, key in enumerate(keys, start=1)}
    return [numbers[key] for key in parts.identity.central_keys]


async def test_a_whole_change_of_keys(central: LyingCentral, synced: Parts, keys: list[SigningKey]) -> None:
    first, second, *_ = keys
    central.next_key(1, second, signer=first)
    # In one page with what it has signed already, whatever their order.
    central.permit(1, 11, 200, signer=second)
    assert await synced.poll()
    assert valid(synced, keys) == [1, 2]
    assert await synced.reasons() == []
    again = await synced.restarted()
    assert valid(again, keys) == [1, 2]

    central.signing = second
    central.key(51, 11, issued=NOW_S)
    central.blocklist(200)
    central.certificate = central.certify(again.signing.public, NOW_S)
    del central.lies["/certificate"]
    assert await again.poll()
    assert valid(again, keys) == [1, 2]
    assert again.identity.certificate == central.certificate, "in time: nobody believes the old key's one for long"
    central.remove("central_key", 1)
    assert await again.poll()
    assert valid(again, keys) == [2]
    assert await again.reasons() == []

    last = await again.restarted()
    assert valid(last, keys) == [2]
    # What the old key signs now is worth nothing any more.
    central.blocklist(300, signer=first)
    assert await last.poll()
    assert await last.field("blocklist", 0, "version") == 200
    await last.close()


async def test_the_list_moves_on(central: LyingCentral, synced: Parts, keys: list[SigningKey]) -> None:
    central.next_key(1, keys[1], signer=keys[0])
    central.next_key(2, keys[2], signer=keys[1])
    central.blocklist(200, signer=keys[2])
    assert await synced.poll()
    assert valid(synced, keys) == [2, 3], "at most two"
    assert await synced.field("blocklist", 0, "version") == 200
    central.next_key(3, keys[3], signer=keys[0])
    assert await synced.poll()
    assert valid(synced, keys) == [2, 3], "an old key begins no chain of its own"
    assert await synced.reasons() == ["object_record_invalid"]
    again = await synced.restarted()
    assert valid(again, keys) == [2, 3]
    await again.close()


async def test_a_whole_chain_in_a_first_snapshot(central: LyingCentral, parts: Parts, keys: list[SigningKey]) -> None:
    central.next_key(2, keys[2], signer=keys[1])
    central.next_key(1, keys[1], signer=keys[0])
    central.permit(1, 11, 200, signer=keys[2])
    central.key(51, 11, signer=keys[2])
    central.blocklist(200, signer=keys[2])
    assert await parts.poll()
    assert await parts.reasons() == []
    assert valid(parts, keys) == [2, 3]


async def test_a_key_that_nobody_trusted_has_signed(
    central: LyingCentral, synced: Parts, keys: list[SigningKey]
) -> None:
    rogue = SigningKey.generate()
    central.next_key(1, keys[1], signer=rogue)
    central.blocklist(999, signer=keys[1])
    assert await synced.poll()
    assert valid(synced, keys) == [1]
    assert await synced.field("blocklist", 0, "version") == 100
    assert await synced.reasons() == ["object_record_invalid"] * 2
    assert await synced.store.note(CHAIN_NOTE) is None


async def test_a_station_that_slept_until_the_next_key_signed(
    central: LyingCentral, synced: Parts, keys: list[SigningKey]
) -> None:
    central.next_key(1, keys[1], signer=keys[0])
    central.next_key(2, keys[2], signer=keys[1])
    central.signing = keys[2]
    central.blocklist(200)
    central.permit(1, 11, 200)
    # Switched on again: central's time, which it asks for first, is by a key that it has never heard of.
    again = await synced.restarted()
    assert valid(again, keys) == [1]
    assert await again.poll()
    assert valid(again, keys) == [2, 3]
    assert await again.field("blocklist", 0, "version") == 200
    assert again.time.now().trust is not None
    await again.close()


async def test_from_somebody_who_cannot_sign_the_time_nothing_is_taken(
    central: LyingCentral, synced: Parts, keys: list[SigningKey]
) -> None:
    # What central once said, and its announcement of the next key, from somebody who has neither of the two.
    central.next_key(1, keys[1], signer=keys[0])
    central.key(51, 11, status="returned")
    central.signing = SigningKey.generate()
    synced.clocks.turn(boot_id="boot-b")
    again = await synced.restarted()
    asked = central.calls("/mirror/snapshot")
    for _ in range(3):
        assert not await again.poll()
    assert central.calls("/mirror/snapshot") == asked + 1, "asked for once, not with each poll"
    assert central.calls("/mirror/changes") == 0
    assert await again.field("key", 51, "status") == "active"
    assert valid(again, keys) == [1, 2]
    assert again.time.now().trust is None
    await again.close()


async def test_enrolled_in_the_middle_of_a_change(central: LyingCentral, parts: Parts, keys: list[SigningKey]) -> None:
    roots = [keys[0].public, keys[1].public]
    again = await parts.restarted(roots=roots)
    assert valid(again, keys) == [1, 2], "before anything has been heard"
    central.next_key(1, keys[1], signer=keys[0])
    assert await again.poll()
    assert valid(again, keys) == [1, 2]
    central.signing = keys[1]
    central.key(51, 11, issued=NOW_S)
    central.permit(1, 11, 200)
    central.blocklist(200)
    central.remove("central_key", 1)
    assert await again.poll()
    assert valid(again, keys) == [2]
    assert await again.reasons() == []
    await again.close()


@pytest.mark.parametrize("note", ["?", "{}", "[1]", '["?"]', '["AAAA"]', "[" * 10_000, "null", "5"])
def test_a_note_that_cannot_be_read(note: str) -> None:
    assert chain_of([b"k" * 32], note) == KeyChain((b"k" * 32,))


def test_what_is_written_leads_to_the_same_keys_only_from_the_same_root() -> None:
    central = LyingCentral()
    second = SigningKey.generate()
    central.next_key(1, second)
    from station.records.base64url import decoded

    record = decoded(central.objects["central_key", 1]["record"])
    chain = KeyChain((central.signing.public,)).extended(record)
    assert chain is not None
    assert chain.extended(record) is chain
    assert chain_of([central.signing.public], chain.written()) == chain
    other = SigningKey.generate().public
    assert chain_of([other], chain.written()).keys == (other,)
    assert encoded(record) in chain.written()
