"""A relay between an honest central and a station: named by attack, each also checking what is left on the disk.

It has a certificate that the station believes and hears all that is said. What it does makes the mirror age, nothing
else; the keys of tests/vectors/head.json say the order of the reasons.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from station.records.claims import Role
from station.rules.facts import OffOnlyReason
from station.runtime import status_file
from station.sync import confirmation, intake, mirror_follower, snapshot_reader
from station.sync.mirror_follower import RESNAPSHOT_LIMIT_S
from tests.services.lying_central import DAY_S, UNIT, Asked, LyingCentral, Reply, refusal, said
from tests.services.parts import Parts

CHANGES, SNAPSHOT = "/mirror/changes", "/mirror/snapshot"
Alter = Callable[[dict[str, Any]], None]


def relayed(central: LyingCentral, alter: Alter) -> Callable[[Asked], Reply]:
    """What central answers, altered."""

    def lie(asked: Asked) -> Reply:
        answer = central.changes(asked) if asked.path == CHANGES else central.snapshot(asked)
        if answer.status != 200:
            return answer
        content = json.loads(answer.body)
        alter(content)
        return said(content)

    return lie


def alter_everywhere(central: LyingCentral, alter: Alter) -> None:
    central.lies = dict.fromkeys([CHANGES, SNAPSHOT], relayed(central, alter))


def objects_in(content: dict[str, Any]) -> list[dict[str, Any]]:
    objects: list[dict[str, Any]] = content["upserts"] if "upserts" in content else content["objects"]
    return objects


async def ages(parts: Parts, *, days: int = 11) -> None:
    """Whatever comes: the mirror stays as it is and grows old, which the screen and `station status` say."""
    before = await parts.on_disk()
    last_s = parts.mirror.age_s() or 0
    for day in range(1, days + 1):
        parts.clocks.advance(DAY_S)
        assert not await parts.poll()
        assert await parts.on_disk() == before
        age_s = parts.mirror.age_s()
        assert age_s is not None
        assert age_s == last_s + day * DAY_S
        facts = await parts.readiness.facts()
        assert facts.mirror_age_s == age_s
        assert facts.off_only == (OffOnlyReason.MIRROR_TOO_OLD if age_s > 10 * DAY_S else None)
        configuration = {"version": "1", "waiting": None, "rejected": None}
        shown = status_file.station_fields(
            facts,
            parts.time,
            parts.mirror,
            configuration=configuration,
            outbox=0,
            handed_over_at=None,
            reader="empty",
        )
        assert (shown["mirror_age_s"], shown["online"]) == (age_s, False)
    assert len(await parts.events("central_lost")) == 1


# --- withholding and replaying ---


async def test_it_says_not_modified_for_ever(central: LyingCentral, synced: Parts) -> None:
    central.again("key", 51, status="blocked")
    central.lies = dict.fromkeys([CHANGES, SNAPSHOT], Reply(304))
    await ages(synced)
    assert await synced.field("key", 51, "status") == "active"
    central.lies.clear()
    assert await synced.poll()
    assert await synced.field("key", 51, "status") == "blocked"


async def test_it_says_nothing_new_without_a_head(central: LyingCentral, synced: Parts) -> None:
    central.again("key", 51, status="blocked")

    def nothing_new(content: dict[str, Any]) -> None:
        if "upserts" in content:
            content |= {"upserts": [], "removes": [], "cursor": synced.mirror.state.cursor}
        del content["head"]

    alter_everywhere(central, nothing_new)
    await ages(synced, days=2)
    assert set(await synced.reasons()) == {"central_answer_malformed"}


async def test_it_replays_the_last_good_answers_for_ever(central: LyingCentral, synced: Parts) -> None:
    central.again("key", 51, holder=11)
    recorded: dict[str, Reply] = {}

    def record(asked: Asked) -> Reply:
        recorded[asked.path] = central.changes(asked) if asked.path == CHANGES else central.snapshot(asked)
        return recorded[asked.path]

    central.lies = dict.fromkeys([CHANGES, SNAPSHOT], record)
    assert await synced.poll()
    record(Asked("GET", SNAPSHOT, {"nonce": "A" * 22}, {}, b""))
    central.again("key", 51, status="blocked")
    central.lies = {**recorded}
    await ages(synced)
    assert set(await synced.reasons()) == {"wrong_nonce"}


async def test_an_old_head_under_a_new_answer(central: LyingCentral, synced: Parts) -> None:
    central.put("area", 3, name="Dalen")
    old = central.head(Asked("GET", CHANGES, {"nonce": "A" * 22}, {}, b""))
    alter_everywhere(central, lambda content: content.update(head=old))
    await ages(synced, days=1)
    assert await synced.reasons() == ["wrong_nonce"]


async def test_each_question_has_a_nonce_of_its_own(central: LyingCentral, synced: Parts) -> None:
    central.lies[CHANGES] = lambda asked: central.changes(asked, more=central.calls(CHANGES) % 3 != 0)
    for _ in range(5):
        await synced.poll()
        synced.clocks.advance(RESNAPSHOT_LIMIT_S)
    nonces = [asked.query["nonce"] for asked in central.asked if "nonce" in asked.query]
    assert len(set(nonces)) == len(nonces) > 7


async def test_the_head_of_another_station(central: LyingCentral, synced: Parts) -> None:
    central.put("area", 3, name="Dalen")
    central.station += 1
    await ages(synced, days=1)
    assert await synced.reasons() == ["wrong_station"]


async def test_the_head_of_somebody_else(central: LyingCentral, synced: Parts) -> None:
    central.put("area", 3, name="Dalen")
    other = LyingCentral()

    def forged(asked: Asked) -> Reply:
        honest = central.changes if asked.path == CHANGES else central.snapshot
        return honest(asked, head=central.head(asked, signer=other.signing))

    central.lies = dict.fromkeys([CHANGES, SNAPSHOT], forged)
    await ages(synced, days=1)
    assert await synced.reasons() == ["bad_head"]


async def test_a_head_of_a_counter_that_went_down(central: LyingCentral, synced: Parts) -> None:
    """In changes: a snapshot is asked for, and what that says is judged by what it opens again."""
    central.put("area", 3, name="Dalen")
    assert await synced.poll()
    central.lies[CHANGES] = lambda asked: central.changes(asked, head=central.head(asked, version=central.revision - 1))
    assert await synced.poll()
    assert central.calls(SNAPSHOT) == 2


# --- altering ---

NAMED: dict[str, tuple[str, int, dict[str, Any], dict[str, Any]]] = {
    "a_returned_key_is_active": ("key", 51, {"status": "returned"}, {"status": "active"}),
    "a_blocked_key_is_active": ("key", 51, {"status": "blocked"}, {"status": "active"}),
    "unlocked_at_is_raised": ("key", 51, {"locked_at": 5, "unlocked_at": 4}, {"unlocked_at": 6}),
    "an_ended_holder_is_active": ("holder", 11, {"status": "ended"}, {"status": "active"}),
    "a_closed_unit_is_open": ("unit", UNIT, {"closed": True}, {"closed": False}),
    "another_persons_name": ("holder", 11, {"name": "Eva"}, {"name": "Adam"}),
    "an_absent_member_is_null": ("holder", 11, {"language": None}, {"holder": None}),
    "a_member_more": ("area", 2, {"name": "Dalen"}, {"note": 1}),
}


@pytest.mark.parametrize(("type_", "id_", "said_", "altered"), NAMED.values(), ids=NAMED)
async def test_an_object_is_altered(
    central: LyingCentral, synced: Parts, type_: str, id_: int, said_: dict[str, Any], altered: dict[str, Any]
) -> None:
    central.again(type_, id_, **said_)

    def alter(content: dict[str, Any]) -> None:
        for each in objects_in(content):
            if (each["type"], each["id"]) == (type_, id_):
                each.update(altered)

    alter_everywhere(central, alter)
    await ages(synced, days=1)
    assert await synced.reasons() == ["disagrees"]
    central.lies.clear()
    assert await synced.poll()
    assert await synced.field(type_, id_, next(iter(said_))) == next(iter(said_.values()))


@pytest.mark.parametrize("path", [CHANGES, SNAPSHOT])
async def test_every_field_of_every_object_is_altered(central: LyingCentral, synced: Parts, path: str) -> None:
    central.put("lift", 4, floor=2, doors=[{"colour": None}])
    for type_, id_ in list(central.objects):
        central.again(type_, id_)
    if path == SNAPSHOT:
        central.lies[CHANGES] = refusal(410, "resnapshot")
    else:
        central.lies[SNAPSHOT] = Reply(503)
    before = await synced.on_disk()
    fields = [(name, field) for name, each in central.objects.items() for field in each]
    assert len(fields) > 30
    for name, field in fields:

        def alter(content: dict[str, Any], name: Any = name, field: str = field) -> None:
            (each,) = [each for each in objects_in(content) if (each["type"], each["id"]) == name]
            value = each.pop(field)
            if field not in {"type", "id"}:
                return
            each[field] = value + ("x" if field == "type" else 1)

        central.lies[path] = relayed(central, alter)
        synced.clocks.advance(RESNAPSHOT_LIMIT_S)
        assert not await synced.poll(), (name, field)
        assert await synced.on_disk() == before
    central.lies.clear()
    synced.clocks.advance(RESNAPSHOT_LIMIT_S)
    assert await synced.poll()
    assert synced.mirror.state.sum.count == len(central.objects)


async def test_bytes_of_an_answer_are_flipped(central: LyingCentral, synced: Parts) -> None:
    """Each byte in turn, a new bit each time: the mirror is as it was, or as central has it."""
    central.lies[SNAPSHOT] = Reply(503)
    central.again("key", 51, status="blocked")
    _, before = await synced.on_disk()
    length = len(central.changes(Asked("GET", CHANGES, {"since": "epoch-1.0", "nonce": "A" * 22}, {}, b"")).body)
    honest = 0
    for at in range(0, length, 3):

        def flip(asked: Asked, at: int = at) -> Reply:
            answer = central.changes(asked)
            body = bytearray(answer.body)
            body[at % len(body)] ^= 1 << at % 7
            return Reply(200, bytes(body), answer.headers)

        central.lies[CHANGES] = flip
        confirmed = await synced.poll()
        _, rows = await synced.on_disk()
        if confirmed:
            # Only what nobody signs: the cursor, and who is down.
            honest += 1
            assert next(row[3] for row in rows if row[:2] == ("key", 51)).count('"blocked"') == 1
            central.again("key", 51, status="blocked")
        else:
            assert rows == before or honest
        before = rows
    assert honest < 40


async def test_a_snapshot_is_patched_together(central: LyingCentral, synced: Parts) -> None:
    old = [dict(each) for each in central.objects.values()]
    central.again("key", 51, status="blocked")
    central.epoch = "epoch-2"
    for objects in (
        old,
        old[:-1],
        [],
        [*central.objects.values()][:-1],
        [*central.objects.values(), old[0] | {"id": 9}],
    ):
        before = await synced.on_disk()
        central.lies[SNAPSHOT] = lambda asked, objects=objects: central.snapshot(asked, objects=objects)
        synced.clocks.advance(RESNAPSHOT_LIMIT_S)
        assert not await synced.poll()
        assert await synced.on_disk() == before


async def test_a_first_snapshot_is_patched_together(central: LyingCentral, parts: Parts) -> None:
    central.lies[SNAPSHOT] = lambda asked: central.snapshot(asked, objects=[*central.objects.values()][:-1])
    before = await parts.on_disk()
    assert not await parts.poll()
    assert await parts.on_disk() == before
    assert (await parts.readiness.facts()).off_only is OffOnlyReason.NO_MIRROR


# --- naming twice, and other answers that are refused whole ---

WHOLE: dict[str, Alter] = {
    "an_object_twice": lambda content: objects_in(content).append(objects_in(content)[0]),
    "an_object_twice_with_another_content": lambda content: objects_in(content).append(
        {"type": "area", "id": 3, "x": 1}
    ),
    "an_object_without_a_number": lambda content: objects_in(content).append({"type": "area"}),
    "an_object_with_half_a_number": lambda content: objects_in(content).append({"type": "area", "id": 1.5}),
    "an_object_whose_type_is_none": lambda content: objects_in(content).append({"type": ["area"], "id": 1}),
    "a_name_that_is_not_ascii": lambda content: objects_in(content)[0].update({"å": 1}),
    "half_a_surrogate_pair": lambda content: objects_in(content)[0].update({"name": "\ud800"}),
    "a_number_too_large": lambda content: objects_in(content)[0].update({"x": 2**53}),
}


@pytest.mark.parametrize("alter", WHOLE.values(), ids=WHOLE)
async def test_an_answer_is_refused_whole(central: LyingCentral, synced: Parts, alter: Alter) -> None:
    central.put("area", 3, name="Dalen")
    alter_everywhere(central, alter)
    await ages(synced, days=1)
    assert central.calls(SNAPSHOT) == 2, "a snapshot is asked for"


async def test_65536_copies_of_one_lie(central: LyingCentral, synced: Parts) -> None:
    """They would vanish from the sum, were they added."""
    lie = {"type": "key", "id": 99, "revision": 1}
    central.lies[CHANGES] = refusal(410, "resnapshot")
    central.lies[SNAPSHOT] = lambda asked: central.snapshot(asked, objects=[*central.objects.values(), *[lie] * 65536])
    await ages(synced, days=1)
    assert await synced.reasons() == ["object_named_twice"]


async def test_an_object_in_both_lists(central: LyingCentral, synced: Parts) -> None:
    central.again("key", 51, status="blocked")
    central.lies[SNAPSHOT] = Reply(503)
    central.lies[CHANGES] = relayed(central, lambda c: c.update(removes=[{"type": "key", "id": 51}]))
    await ages(synced, days=1)


async def test_a_remove_that_central_did_not_say(central: LyingCentral, synced: Parts) -> None:
    central.lies[SNAPSHOT] = Reply(503)
    central.lies[CHANGES] = relayed(central, lambda c: c.update(removes=[{"type": "blocklist", "id": 0}]))
    await ages(synced, days=1)
    # One of something that is not held changes nothing.
    central.lies[CHANGES] = relayed(central, lambda c: c.update(removes=[{"type": "key", "id": 999}]))
    assert await synced.poll()


# --- pages ---


async def test_pages_count_only_with_the_head_of_the_last(central: LyingCentral, synced: Parts) -> None:
    """Whoever cuts between two pages leaves nothing of the first."""
    central.again("key", 51, status="blocked")
    before = await synced.on_disk()
    cut = iter([False, True])

    def first_page_only(asked: Asked) -> Reply:
        if next(cut):
            return Reply(503)
        return central.changes(asked, more=True, cursor="epoch-1.3")

    central.lies[CHANGES] = first_page_only
    assert not await synced.poll()
    assert await synced.on_disk() == before


async def test_a_410_while_gathering_discards_the_pages(central: LyingCentral, synced: Parts) -> None:
    assert await synced.poll()
    rogue = {"type": "area", "id": 77, "revision": 1, "name": "Rogue"}

    def page_then_gone(asked: Asked) -> Reply:
        if asked.query["since"] == "page-2":
            return refusal(410, "resnapshot")
        return central.changes(asked, more=True, upserts=[rogue], cursor="page-2")

    central.lies[CHANGES] = page_then_gone
    assert await synced.poll()
    assert await synced.object("area", 77) is None
    assert central.calls(SNAPSHOT) == 2


@pytest.mark.parametrize("moving", [False, True])
async def test_pages_without_end(
    central: LyingCentral, synced: Parts, moving: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_follower, "PAGES_LIMIT", 10)
    calls = iter(range(100))
    cursor = synced.mirror.state.cursor
    page: dict[str, Any] = {"upserts": [], "removes": [], "more": True}
    central.lies[CHANGES] = lambda _: said(page | {"cursor": f"c{next(calls)}" if moving else cursor})
    central.lies[SNAPSHOT] = Reply(503)
    assert not await synced.poll()
    assert central.calls(CHANGES) == (10 if moving else 1)


# --- when the next snapshot is asked for ---


async def test_snapshots_that_are_refused_come_ever_more_seldom(central: LyingCentral, synced: Parts) -> None:
    assert await synced.poll()
    alter_everywhere(central, lambda content: content.update(head="AAAA"))
    asked_at = []
    for minute in range(3 * 24 * 60):
        before = central.calls(SNAPSHOT)
        synced.clocks.advance(60)
        if minute % 10 == 0:
            await synced.poll()
        if central.calls(SNAPSHOT) > before:
            asked_at.append(minute)
    gaps = [later - earlier for earlier, later in pairwise(asked_at)]
    assert gaps == [10, 20, 40, 80, 160, 320, 640, 1280, 1440]
    central.lies.clear()
    assert await synced.poll(), "changes that agree need no snapshot"


async def test_a_snapshot_after_which_changes_disagree_at_once_is_not_asked_for_again_at_once(
    central: LyingCentral, synced: Parts
) -> None:
    assert await synced.poll()
    central.lies[CHANGES] = relayed(central, lambda content: content.update(head="AAAA"))
    for _ in range(5):
        await synced.poll()
        synced.clocks.advance(60)
    assert central.calls(SNAPSHOT) == 2


async def test_a_head_from_the_future_has_the_time_asked_first(central: LyingCentral, synced: Parts) -> None:
    assert await synced.poll()
    before = await synced.on_disk()
    central.put("area", 3, name="Dalen")
    ahead = central.clock() + 301
    central.lies[CHANGES] = lambda asked: central.changes(asked, head=central.head(asked, issued=ahead))
    central.lies[SNAPSHOT] = lambda asked: central.snapshot(asked, head=central.head(asked, issued=ahead))
    assert not await synced.poll()
    assert await synced.on_disk() == before
    assert [asked.path for asked in central.asked[-4:]] == [CHANGES, "/time", SNAPSHOT, "/time"]
    assert await synced.reasons() == ["from_the_future"]
    central.lies.clear()
    assert await synced.poll()


# --- an answer to a cursor that has moved on; a key's log ---


async def test_a_late_answer_changes_nothing_but_what_it_says_of_the_log(central: LyingCentral, synced: Parts) -> None:
    """A polling call and a visit's were both open: the second is to a cursor that the first has moved."""
    follower = synced.mirror._follower
    central.again("key", 51, status="blocked")
    central.log_seen[51] = (2, 40)
    await asyncio.gather(follower.follow(), follower.follow(51))
    sinces = [asked.query["since"] for asked in central.asked if asked.path == CHANGES]
    assert sinces[-1] == sinces[-2]
    assert follower.log_seen is not None
    assert (follower.log_seen.key, follower.log_seen.position) == (51, (2, 40))
    assert central.calls(SNAPSHOT) == 1, "and it is not judged"
    assert synced.mirror.age_s() == 0


async def test_a_keys_log_is_asked_about_while_it_is_in(central: LyingCentral, synced: Parts) -> None:
    central.log_seen[51] = (2, 40)
    synced.mirror.poll_every(3600, metered=True)
    running = asyncio.create_task(synced.mirror.run())
    await synced.mirror.refreshed(None)
    synced.mirror.wake(51)
    assert await synced.mirror.log_seen(51) == (2, 40)
    assert central.asked[-1].query["key"] == "51"
    assert await synced.mirror.log_seen(52) is None
    synced.mirror.wake()
    await synced.mirror.refreshed(None)
    assert "key" not in central.asked[-1].query, "once a visit"
    running.cancel()
    await asyncio.wait([running])


async def test_a_head_about_a_key_that_nobody_named(central: LyingCentral, synced: Parts) -> None:
    central.log_seen[51] = (2, 40)

    def about_51(asked: Asked) -> Reply:
        named = Asked(asked.method, asked.path, {**asked.query, "key": "51"}, asked.headers, asked.body)
        return central.changes(asked, head=central.head(named))

    central.lies[CHANGES] = about_51
    central.lies[SNAPSHOT] = Reply(503)
    await ages(synced, days=1)


async def test_a_box_never_names_a_key(central: LyingCentral, synced: Parts) -> None:
    central.role = Role.ACTIVATION_BOX
    await synced.poll()
    assert all("key" not in asked.query for asked in central.asked)


async def test_a_million_objects_in_a_few_bytes(central: LyingCentral, synced: Parts) -> None:
    """They would be more than the memory of a station, at every start of it."""
    before = await synced.on_disk()
    central.lies["/mirror/changes"] = refusal(410, "resnapshot")
    many = Reply(200, b'{"epoch":"e","cursor":"c","head":"h","objects":[%s{}]}' % (b"{}," * 1_000_000))
    central.lies["/mirror/snapshot"] = many
    synced.clocks.advance(RESNAPSHOT_LIMIT_S)
    assert not await synced.poll()
    assert await synced.on_disk() == before
    assert await synced.reasons() == ["bad_head"]


async def test_nobody_at_the_station_waits_for_a_snapshot(
    central: LyingCentral, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To read, to hash and to verify it takes seconds."""
    threads = set[int]()
    for module, name in ((snapshot_reader, "read_at"), (confirmation, "canonical"), (intake, "checked")):
        honest_one = getattr(module, name)

        def noted(*arguments: Any, honest: Any = honest_one) -> Any:
            threads.add(threading.get_ident())
            return honest(*arguments)

        monkeypatch.setattr(module, name, noted)
    for number in range(intake.INLINE_LIMIT):
        central.holder(100 + number)
    assert await parts.poll()
    assert threads
    assert threading.get_ident() not in threads
