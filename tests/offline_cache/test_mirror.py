import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_cache import SqliteStore
from station.ports import (
    KnownAs,
    LogEvent,
    MirrorBundle,
    MirrorObject,
    MirrorState,
    MirrorUpdate,
    ReceivedObject,
    StaysRefused,
)
from station.records.mirror_digest import MirrorSum, ObjectName
from tests.received import received, take

Sql: TypeAlias = Callable[..., Awaitable[list[tuple[Any, ...]]]]
Made: TypeAlias = Callable[..., MirrorObject]
Page: TypeAlias = tuple[bool, list[MirrorObject], list[tuple[str, int]], str]

STATE = MirrorState("epoch-1", "cursor-1", 7, 1_700_000_000, MirrorSum(3, b"\1" * 2048))
TAG = bytes(range(16))
OTHER_TAG = bytes(16)


def tagged(permit: MirrorObject, tag: bytes) -> ReceivedObject:
    return received(permit.body, tag)


async def test_before_the_first_snapshot(store: SqliteStore) -> None:
    assert await store.mirror_state() == MirrorState()
    assert await store.bundle(1, [TAG]) == MirrorBundle(MirrorState())


async def test_everything_about_a_personal_key_and_its_person(store: SqliteStore, made: Made) -> None:
    key = made("key", 4, unit=2, holder=9, kind=0)
    unit, person_unit = made("unit", 2), made("unit", 3)
    holder = made("holder", 9, unit=3, name="Invented N.")
    permits = [made("permit", 50, holder=9, unit=2), made("permit", 51, holder=9)]
    blocklist = made("blocklist", 0, version=3)
    strangers = [made("permit", 60, holder=10), made("holder", 10), made("key", 5), made("blocklist", 1)]
    tags = [tagged(permits[0], TAG), tagged(permits[1], OTHER_TAG)]
    await take(store, STATE, [key, unit, person_unit, holder, *tags, blocklist, *strangers], whole=True)
    assert await store.bundle(4, [TAG]) == MirrorBundle(
        state=STATE,
        key=key,
        key_unit=unit,
        key_holder=holder,
        key_holder_permits=tuple(permits),
        person=holder,
        person_unit=person_unit,
        person_permits=tuple(permits),
        blocklist=blocklist,
    )
    assert (await store.bundle(key=4)).person is None
    assert (await store.bundle(pin_tags=[TAG])).key is None
    assert {each.id for each in await store.permits_of([9, 10, 11])} == {50, 51, 60}


async def test_a_tag_that_two_holders_have_is_nobodys(store: SqliteStore, made: Made) -> None:
    holders = [made("holder", id_) for id_ in (9, 10)]
    await take(store, STATE, [*holders, *(tagged(made("permit", id_, holder=id_), TAG) for id_ in (9, 10))])
    found = await store.bundle(pin_tags=[TAG])
    assert (found.person, found.person_permits, found.pin_is_shared) == (None, (), True)


async def test_a_tag_of_a_permit_without_a_holder_is_nobodys(store: SqliteStore, made: Made) -> None:
    permits = [tagged(made("permit", 1, holder=9), TAG), tagged(made("permit", 2), TAG)]
    await take(store, STATE, [made("holder", 9), *permits])
    assert (await store.bundle(pin_tags=[TAG])).person is None


async def test_a_holder_that_the_mirror_lacks_is_nobody(store: SqliteStore, made: Made) -> None:
    await take(store, STATE, [tagged(made("permit", 1, holder=9), TAG), made("key", 2, holder=9)])
    found = await store.bundle(2, [TAG])
    assert (found.person, found.person_permits, found.key_holder) == (None, (), None)


async def test_a_new_permit_takes_the_old_tag_away(store: SqliteStore, made: Made) -> None:
    await take(store, STATE, [made("holder", 9), tagged(made("permit", 1, holder=9), TAG)])
    await take(store, STATE, [tagged(made("permit", 1, 2, holder=9), OTHER_TAG)])
    assert (await store.bundle(pin_tags=[TAG])).person is None
    assert (await store.bundle(pin_tags=[OTHER_TAG])).person == made("holder", 9)


@pytest.mark.parametrize("holder", ["9", True, -1, None])
async def test_a_holder_that_is_no_number_is_not_looked_up(store: SqliteStore, made: Made, holder: object) -> None:
    key = made("key", 4, holder=holder)
    await take(store, STATE, [key, made("holder", 1), made("holder", 9)])
    found = await store.bundle(key=4)
    assert (found.key, found.key_holder) == (key, None)


async def test_what_is_refused_is_held_and_its_last_good_version_used(store: SqliteStore, made: Made) -> None:
    good, bad = made("key", 4, holder=9), made("key", 4, 2, holder=10)
    await take(store, STATE, [good, made("key", 5)])
    refused = [replace(received(bad.body), used=good.body), replace(received(made("key", 5, 2).body), used=None)]
    await take(store, STATE, refused)
    names = [ObjectName("key", number) for number in (4, 5, 6)]
    assert await store.held_hashes(names) == {each.name: each.hash for each in refused}
    assert await store.held_objects(names) == {names[0]: good}
    assert await store.objects("key") == [good]
    assert (await store.bundle(key=5)).key is None


async def test_a_snapshot_replaces_everything(store: SqliteStore, made: Made) -> None:
    await take(store, STATE, [made("key", 4, 5), made("unit", 1)])
    new = MirrorState("epoch-2", "c", 2, 2)
    await take(store, new, [made("key", 4, 1)], whole=True)
    assert await store.objects("key") == [made("key", 4, 1)]
    assert await store.objects("unit") == []
    assert await store.mirror_state() == new


async def test_all_that_a_head_has_confirmed_is_there_together_or_not_at_all(
    store: SqliteStore, made: Made, sql: Sql
) -> None:
    await take(store, STATE, [made("key", 4)])
    stays = [StaysRefused("key", 4, KnownAs.BLOCKED, 3)]
    update = MirrorUpdate(
        MirrorState("e", "later", 9, 9),
        [received(made("key", 5).body)],
        [ObjectName("key", 4)],
        stay_refused=stays,
        notes={"central_chain": "[]"},
        events=[LogEvent("mirror_went_back", 1, 0)],
    )
    far = replace(received(made("key", 6).body), name=ObjectName("key", 2**63))
    for whole in (False, True):
        with pytest.raises(OverflowError):
            await store.take_mirror(replace(update, upserts=[*update.upserts, far], whole=whole))
        assert await store.mirror_state() == STATE
        assert await store.objects("key") == [made("key", 4)]
        assert (await store.bundle()).stay_refused == ()
        assert await store.note("central_chain") is None
        assert await store.pending_count() == 0
    await store.take_mirror(update)
    assert await store.mirror_state() == update.state
    assert await store.objects("key") == [made("key", 5)]
    assert (await store.bundle()).stay_refused == tuple(stays)
    assert await store.note("central_chain") == "[]"
    assert [event.body["type"] for event in await store.pending(9)] == ["mirror_went_back"]
    await store.take_mirror(MirrorUpdate(STATE))
    assert (await store.bundle()).stay_refused == tuple(stays), "as before, where nothing is said"


_ids = st.tuples(st.sampled_from(["key", "permit", "unit"]), st.integers(1, 4))
_objects = st.builds(
    lambda ref, text: MirrorObject(ref[0], ref[1], {"type": ref[0], "id": ref[1], "text": text}),
    _ids,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)
_pages = st.lists(
    st.tuples(st.booleans(), st.lists(_objects, max_size=8), st.lists(_ids, max_size=4), st.text(max_size=3)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(_pages)
def test_pages_against_a_dict(pages: list[Page]) -> None:
    async def run(path: Path) -> None:
        store = await SqliteStore.open(path)
        model: dict[tuple[str, int], MirrorObject] = {}
        for number, (snapshot, upserts, removes, cursor) in enumerate(pages):
            state = MirrorState("epoch", cursor.encode("utf-8", "replace").decode(), number, number)
            named = {(each.type, each.id) for each in upserts}
            gone = [] if snapshot else [ref for ref in removes if ref not in named]
            await take(store, state, upserts, gone, whole=snapshot)
            if snapshot:
                model.clear()
            for ref in gone:
                model.pop(ref, None)
            model |= {(each.type, each.id): each for each in upserts}
            assert await store.mirror_state() == state
            found = [each for type_ in ("key", "permit", "unit") for each in await store.objects(type_)]
            assert found == [model[ref] for ref in sorted(model)]
        hashes = await store.held_hashes([ObjectName(*ref) for ref in model])
        assert hashes == {ObjectName(*ref): received(each.body).hash for ref, each in model.items()}
        await store.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder) / "station.db"))
