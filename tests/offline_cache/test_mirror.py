import asyncio
import hashlib
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_cache import SqliteStore
from station.ports import MirrorBundle, MirrorObject, MirrorState

Sql: TypeAlias = Callable[..., Awaitable[list[tuple[Any, ...]]]]
Made: TypeAlias = Callable[..., MirrorObject]
Page: TypeAlias = tuple[bool, list[MirrorObject], list[tuple[str, int]], str]

STATE = MirrorState("epoch-1", "cursor-1", 1_700_000_000)
TAG = bytes(range(16))
OTHER_TAG = bytes(16)


async def test_before_the_first_snapshot(store: SqliteStore) -> None:
    assert await store.mirror_state() == MirrorState()
    assert await store.bundle(1, [TAG]) == MirrorBundle(MirrorState())
    assert await store.mirror_digest() == (0, hashlib.sha256(b"").hexdigest())


async def test_everything_about_a_personal_key_and_its_person(store: SqliteStore, made: Made) -> None:
    key = made("key", 4, unit=2, holder=9, kind=0)
    unit, person_unit = made("unit", 2), made("unit", 3)
    holder = made("holder", 9, unit=3, name="Invented N.", pin_tag=TAG)
    permits = [made("permit", 50, holder=9, pin_tag=TAG, unit=2), made("permit", 51, holder=9, pin_tag=OTHER_TAG)]
    blocklist = made("blocklist", 0, version=3)
    strangers = [made("permit", 60, holder=10), made("holder", 10), made("key", 5), made("blocklist", 1)]
    await store.replace_mirror(STATE, [key, unit, person_unit, holder, *permits, blocklist, *strangers])
    assert await store.bundle(key=4, pin_tags=[TAG]) == MirrorBundle(
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


async def test_a_tag_that_two_holders_have_is_nobodys(store: SqliteStore, made: Made) -> None:
    await store.replace_mirror(
        STATE,
        [
            *(made("holder", id_) for id_ in (9, 10)),
            *(made("permit", id_, holder=id_, pin_tag=TAG) for id_ in (9, 10)),
        ],
    )
    found = await store.bundle(pin_tags=[TAG])
    assert (found.person, found.person_permits) == (None, ())


async def test_a_tag_of_a_permit_without_a_holder_is_nobodys(store: SqliteStore, made: Made) -> None:
    await store.replace_mirror(
        STATE, [made("holder", 9), made("permit", 1, holder=9, pin_tag=TAG), made("permit", 2, pin_tag=TAG)]
    )
    assert (await store.bundle(pin_tags=[TAG])).person is None


async def test_a_holder_that_the_mirror_lacks_is_nobody(store: SqliteStore, made: Made) -> None:
    await store.replace_mirror(STATE, [made("permit", 1, holder=9, pin_tag=TAG), made("key", 2, holder=9)])
    found = await store.bundle(key=2, pin_tags=[TAG])
    assert (found.person, found.person_permits, found.key_holder) == (None, (), None)


@pytest.mark.parametrize("tag", ["AAECAwQFBgcICQoLDA0ODw==", "AAECAwQFBgcICQoLDA0ODx", "AA", "!" * 22, "å", 5, None])
async def test_a_malformed_tag_finds_nobody(store: SqliteStore, sql: Sql, tag: object) -> None:
    body = {"type": "permit", "id": 1, "revision": 1, "holder": 9, "pin_tag": tag}
    await store.replace_mirror(STATE, [MirrorObject("permit", 1, 1, body)])
    assert await sql("SELECT COUNT(pin_tag) FROM mirror_object") == [(0,)]


async def test_only_permits_lead_from_a_tag_to_a_person(store: SqliteStore, made: Made) -> None:
    await store.replace_mirror(STATE, [made("holder", 9, holder=9, pin_tag=TAG)])
    assert (await store.bundle(pin_tags=[TAG])).person is None


async def test_a_new_permit_takes_the_old_tag_away(store: SqliteStore, made: Made) -> None:
    await store.replace_mirror(STATE, [made("holder", 9), made("permit", 1, holder=9, pin_tag=TAG)])
    await store.apply_page(STATE, [made("permit", 1, 2, holder=9, pin_tag=OTHER_TAG)], [])
    assert (await store.bundle(pin_tags=[TAG])).person is None
    assert (await store.bundle(pin_tags=[OTHER_TAG])).person == made("holder", 9)


@pytest.mark.parametrize("holder", ["9", 9.0, True, -1, 2**63, None])
async def test_a_holder_that_is_no_number_is_not_looked_up(store: SqliteStore, made: Made, holder: object) -> None:
    key = made("key", 4, holder=holder)
    await store.replace_mirror(STATE, [key, made("holder", 1), made("holder", 9)])
    found = await store.bundle(key=4)
    assert (found.key, found.key_holder) == (key, None)


async def test_a_lower_revision_stays_out_an_equal_one_comes_in(store: SqliteStore, made: Made) -> None:
    await store.replace_mirror(STATE, [made("key", 4, 5, status="blocked")])
    await store.apply_page(STATE, [made("key", 4, 4, status="active")], [])
    assert await store.objects("key") == [made("key", 4, 5, status="blocked")]
    await store.apply_page(STATE, [made("key", 4, 5, status="returned")], [])
    assert await store.objects("key") == [made("key", 4, 5, status="returned")]


async def test_a_snapshot_replaces_everything_lower_revisions_included(store: SqliteStore, made: Made) -> None:
    await store.replace_mirror(STATE, [made("key", 4, 5), made("unit", 1)])
    new = MirrorState("epoch-2", "c", 2)
    await store.replace_mirror(new, [made("key", 4, 1)])
    assert await store.objects("key") == [made("key", 4, 1)]
    assert await store.objects("unit") == []
    assert await store.mirror_state() == new


async def test_a_poisoned_page_leaves_page_and_cursor(store: SqliteStore, made: Made) -> None:
    await store.replace_mirror(STATE, [made("key", 4)])
    digest = await store.mirror_digest()
    poisoned = made("key", 6, what=object())
    far = made("key", 7, 2**63)
    for bad in (poisoned, far):
        for call in (
            store.apply_page(MirrorState("e", "later", 9), [made("key", 5), bad], [("key", 4)]),
            store.replace_mirror(MirrorState("e", "later", 9), [made("key", 5), bad]),
        ):
            with pytest.raises((TypeError, OverflowError)):
                await call
            assert await store.mirror_digest() == digest
            assert await store.mirror_state() == STATE


async def test_the_digest_is_sorted_as_bytes_of_the_line(store: SqliteStore, made: Made) -> None:
    objects = [made("key", 2, 7), made("key", 10, 7), made("key", 1, 7), made("key_", 1, 1), made("area", 1, 12)]
    await store.replace_mirror(STATE, objects)
    lines = b"area:1:12\nkey:10:7\nkey:1:7\nkey:2:7\nkey_:1:1\n"
    assert await store.mirror_digest() == (5, hashlib.sha256(lines).hexdigest())


_ids = st.tuples(st.sampled_from(["key", "permit", "unit"]), st.integers(1, 4))
_objects = st.builds(
    lambda ref, revision, text: MirrorObject(ref[0], ref[1], revision, {"revision": revision, "text": text}),
    _ids,
    st.integers(0, 4),
    st.text(max_size=5),
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
            state = MirrorState("epoch", cursor.encode("utf-8", "replace").decode(), number)
            if snapshot:
                await store.replace_mirror(state, upserts)
                model.clear()
            else:
                await store.apply_page(state, upserts, removes)
            for each in upserts:
                ours = model.get((each.type, each.id))
                if ours is None or each.revision >= ours.revision:
                    model[each.type, each.id] = each
            if not snapshot:
                for ref in removes:
                    model.pop(ref, None)
            assert await store.mirror_state() == state
            found = [each for type_ in ("key", "permit", "unit") for each in await store.objects(type_)]
            assert found == [model[ref] for ref in sorted(model)]
        lines = sorted(f"{each.type}:{each.id}:{each.revision}\n".encode() for each in model.values())
        assert await store.mirror_digest() == (len(lines), hashlib.sha256(b"".join(lines)).hexdigest())
        await store.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder) / "station.db"))
