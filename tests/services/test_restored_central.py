"""A central restored from a backup, or rolled back: what it opens again stays refused until a coordinator says so."""

from typing import Any

import pytest

from station.ports import KnownAs
from station.records.claims import Blocklist
from station.rules.access import refusal_before_pin
from station.rules.attempts import AttemptCount, in_force
from station.rules.facts import KeyKnown, OffOnlyReason, Refusal
from station.sync import mirror_commit
from station.sync.mirror_follower import RESNAPSHOT_LIMIT_S
from station.sync.objects import key_known, person
from tests.services.lying_central import NOW_S, STATION, UNIT, LyingCentral
from tests.services.parts import Parts

Fields = dict[str, Any]
CLOSED: dict[str, tuple[str, int, Fields, Fields]] = {
    "blocked": ("key", 51, {"status": "blocked"}, {"status": "active"}),
    "returned": ("key", 51, {"status": "returned"}, {"status": "active"}),
    "locked": ("key", 51, {"locked_at": NOW_S, "unlocked_at": 5}, {"locked_at": None, "unlocked_at": 6}),
    "ended": ("holder", 11, {"status": "ended"}, {"status": "active"}),
    "closed": ("unit", UNIT, {"closed": True}, {"closed": False}),
}


def restored(central: LyingCentral, *, epoch: str = "epoch-2", counter: int = NOW_S) -> None:
    """Central as it comes back: with the objects of its backup, and a counter that goes on from now, or from before."""
    central.epoch, central.revision = epoch, counter


async def known(parts: Parts, key: int = 51) -> KeyKnown:
    bundle = await parts.store.bundle(key)
    return key_known(bundle, key, parts.identity.central_keys, parts.readiness.blocklist_claims)


async def refusal(parts: Parts) -> Refusal | None:
    found = await known(parts)
    if found.key is None:
        return Refusal.UNKNOWN
    attempts = in_force(AttemptCount(51), found.key, 0.0)
    return refusal_before_pin(found.key.record, found, attempts)


async def is_closed(parts: Parts, was: str) -> bool:
    match was:
        case "blocked" | "returned" | "locked" | "listed":
            return await refusal(parts) is not None
        case "ended":
            found = person(await parts.store.bundle(pin_tags=[b"t" * 16]), parts.identity.central_keys)
            assert found is not None
            return found.holder.ended and await refusal(parts) is Refusal.HOLDER_ENDED
        case _:
            unit = (await known(parts)).unit
            return unit is not None and unit.closed


@pytest.mark.parametrize("epoch", ["epoch-2", "epoch-1"], ids=["another_epoch", "a_lower_counter"])
@pytest.mark.parametrize("was", CLOSED)
async def test_what_it_opens_again_stays_refused_and_is_told(
    central: LyingCentral, synced: Parts, was: str, epoch: str
) -> None:
    type_, id_, closed, opened = CLOSED[was]
    for _ in range(20):
        central.again(type_, id_, **closed)
    assert await synced.poll()
    assert await is_closed(synced, was)
    confirmed = synced.mirror.state

    # The backup is from before it was closed.
    central.objects[type_, id_] |= opened | {"revision": 4}
    restored(central, epoch=epoch, counter=NOW_S if epoch == "epoch-2" else 15)
    assert await synced.poll()
    assert (synced.mirror.state.epoch, synced.mirror.state.version) == (epoch, central.revision)
    assert synced.mirror.state != confirmed
    assert synced.mirror.age_s() == 0, "the snapshot is taken"
    assert await is_closed(synced, was)
    assert await synced.events("mirror_went_back") == [{"type": type_, "id": id_, "was": was}]

    # Also after a restart, and whatever else changes.
    again = await synced.restarted()
    assert await is_closed(again, was)
    central.put("area", 9, name="Dalen")
    assert await again.poll()
    assert await is_closed(again, was)

    # Told once, and open with the object's own next word.
    central.again(type_, id_)
    assert await again.poll()
    assert not await is_closed(again, was)
    assert len(await again.events("mirror_went_back")) == 1
    _, rows = await again.on_disk()
    assert rows
    assert (await again.store.bundle()).stay_refused == ()
    await again.close()


async def test_a_closing_word_of_it_counts_at_once(central: LyingCentral, synced: Parts) -> None:
    central.again("key", 51, status="blocked")
    assert await synced.poll()
    central.objects["key", 51] |= {"status": "active"}
    restored(central)
    assert await synced.poll()
    central.again("key", 51, status="returned")
    assert await synced.poll()
    assert await refusal(synced) is Refusal.RETURNED
    assert (await synced.store.bundle()).stay_refused == ()


async def test_a_word_that_is_refused_opens_nothing(central: LyingCentral, synced: Parts) -> None:
    central.again("key", 51, status="blocked")
    assert await synced.poll()
    central.objects["key", 51] |= {"status": "active"}
    restored(central)
    assert await synced.poll()
    central.again("key", 51, kind=1)
    assert await synced.poll()
    assert await refusal(synced) is Refusal.BLOCKED


async def test_a_key_that_was_blocked_and_is_returned_now_is_not_told(central: LyingCentral, synced: Parts) -> None:
    central.again("key", 51, status="blocked")
    assert await synced.poll()
    central.objects["key", 51] |= {"status": "returned"}
    restored(central)
    assert await synced.poll()
    assert await synced.events("mirror_went_back") == []
    assert await refusal(synced) is Refusal.RETURNED


async def test_a_key_off_the_blocklist_stays_refused_whatever_list_follows(
    central: LyingCentral, synced: Parts
) -> None:
    central.blocklist(500, 51)
    assert await synced.poll()
    central.blocklist(400)
    restored(central)
    assert await synced.poll()
    assert await synced.events("mirror_went_back") == [{"type": "key", "id": 51, "was": "listed"}]
    assert await refusal(synced) is Refusal.BLOCKED
    # A new list alone frees nobody; the key's own word does.
    central.blocklist(NOW_S)
    assert await synced.poll()
    assert synced.readiness.blocklist_claims is not None
    assert synced.readiness.blocklist_claims.version == NOW_S
    assert await refusal(synced) is Refusal.BLOCKED
    central.again("key", 51)
    assert await synced.poll()
    assert await refusal(synced) is None


async def test_a_key_that_is_listed_anew_is_free_when_it_is_taken_off(central: LyingCentral, synced: Parts) -> None:
    central.blocklist(500, 51)
    assert await synced.poll()
    central.blocklist(400)
    restored(central)
    assert await synced.poll()
    central.blocklist(600, 51)
    assert await synced.poll()
    assert (await synced.store.bundle()).stay_refused == ()
    central.blocklist(601)
    assert await synced.poll()
    assert await refusal(synced) is None


async def test_a_station_off_the_blocklist_stays_refused(central: LyingCentral, synced: Parts) -> None:
    central.put("station", STATION, name="Here", address="A", unit=UNIT, role=0)
    listed = Blocklist(NOW_S + 9999, NOW_S, 500, (), (STATION,))
    central.put("blocklist", 0, version=500, record=central.sign(listed))
    assert await synced.poll()
    blocked = (await synced.readiness.facts()).off_only
    assert blocked is not None
    central.blocklist(400)
    restored(central)
    assert await synced.poll()
    central.blocklist(NOW_S)
    assert await synced.poll()
    assert await synced.events("mirror_went_back") == [{"type": "station", "id": STATION, "was": "listed"}]
    assert (await synced.readiness.facts()).off_only is blocked
    central.again("station", STATION)
    assert await synced.poll()
    assert (await synced.readiness.facts()).off_only is None


async def test_a_second_backup_takes_nothing_back(central: LyingCentral, synced: Parts) -> None:
    central.again("key", 51, status="blocked")
    assert await synced.poll()
    central.objects["key", 51] |= {"status": "active"}
    restored(central)
    assert await synced.poll()
    assert await synced.poll()
    restored(central, epoch="epoch-3", counter=NOW_S + 50)
    central.objects["key", 51] |= {"revision": NOW_S + 40}
    assert await synced.poll()
    assert await refusal(synced) is Refusal.BLOCKED
    assert [each.revision for each in (await synced.store.bundle()).stay_refused] == [NOW_S + 40]


async def test_an_ordinary_snapshot_is_no_way_back(central: LyingCentral, synced: Parts) -> None:
    """One that follows what disagreed opens what central has opened."""
    central.again("key", 51, status="blocked")
    assert await synced.poll()
    central.again("key", 51, status="active")
    await synced.store.thread.run(lambda db: db.execute("UPDATE mirror_state SET cursor = 'lost.1'").rowcount)
    again = await synced.restarted()
    assert await again.poll()
    assert await refusal(again) is None
    assert await again.events("mirror_went_back") == []
    await again.close()


async def test_what_is_beyond_the_limit_is_not_told_and_stays_refused(
    central: LyingCentral, synced: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_commit, "TOLD_LIMIT", 3)
    for number in range(60, 65):
        central.key(number, status="blocked")
    assert await synced.poll()
    for number in range(60, 65):
        central.objects["key", number] |= {"status": "active"}
    restored(central)
    assert await synced.poll()
    assert len(await synced.events("mirror_went_back")) == 3
    stays = (await synced.store.bundle()).stay_refused
    assert {(each.id, each.was) for each in stays} == {(number, KnownAs.BLOCKED) for number in range(60, 65)}


async def test_a_snapshot_that_does_not_agree_takes_nothing_back(central: LyingCentral, synced: Parts) -> None:
    central.again("key", 51, status="blocked")
    assert await synced.poll()
    restored(central)
    before = await synced.on_disk()
    objects = [each | {"status": "active"} if each["type"] == "key" else each for each in central.objects.values()]
    central.lies["/mirror/snapshot"] = lambda asked: central.snapshot(asked, objects=objects)
    for _ in range(3):
        assert not await synced.poll()
        synced.clocks.advance(RESNAPSHOT_LIMIT_S)
    assert await synced.on_disk() == before
    assert await synced.events("mirror_went_back") == []
    assert (await synced.readiness.facts()).off_only is not OffOnlyReason.CLOCK
