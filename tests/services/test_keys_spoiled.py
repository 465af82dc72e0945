"""Keys with something in their files that does not belong there, and keys that take no more: a whole visit with each.

What is wrong with a file other than ``id`` is mended without a word. What a person has to do is said in three
languages; what a technician looks for is in the log and in what `station key show` prints.
"""

import random
from dataclasses import replace
from pathlib import Path

import cbor2
import pytest

from station.commands import key_report
from station.commands.inserted_key import content_of_folder
from station.display.screen import Line, Screen
from station.ports import KeyFile
from station.records.base64url import decoded
from station.records.claims import Role
from station.rules.facts import Refusal
from tests.services.hooked import HookedKey
from tests.services.keys_shown import shown_by_key_show
from tests.services.site import ANNA, BO, HER_KEY, HIS_KEY, PINS, Site, StationAt, on_sites
from ui.languages import LANGUAGES
from ui.words import words

HUGE = 5_000_000
OTHER_FILES = tuple(file for file in KeyFile if file is not KeyFile.ID)
NOT_MENDED = {KeyFile.LOG, KeyFile.ACK, KeyFile.BOXCERT}
"""A lock begins its log anew; the others are written when there is something to write."""
SEED = 20_260_328


def garbage(seed: int) -> dict[str, bytes]:
    """What may be in a file by a fault of flash memory, of a maker, or by malice."""
    rng = random.Random(seed)
    record = cbor2.dumps([rng.randbytes(14), {}, rng.randbytes(90), rng.randbytes(64)])
    return {
        "nothing": b"",
        "one byte": b"\x42",
        "random": rng.randbytes(rng.randrange(2, 900)),
        "erased flash": b"\xff" * 300,
        "truncated": record[:-20],
        "nested": b"\x81" * 4000,
        "a long number": b"\xc2\x59\x0e\x00" + rng.randbytes(3584),
        "a string longer than any memory": b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
        "an array longer than any memory": b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
        "a moment beyond all calendars": cbor2.dumps(cbor2.CBORTag(1, 2**63)),
    }


def genuine(site: Site) -> dict[str, bytes]:
    """Signed by central or by a station, and not what belongs in the file, or not on this key."""
    his = decoded(site.objects["permit", BO]["record"])
    return {
        "another person's permit": his,
        "another key's record": decoded(site.objects["key", HIS_KEY]["record"]),
    }


def said(screen: Screen) -> str:
    """In English; there are words for it in each language, and they are not the same."""
    found = {language: str(words(screen, language)) for language in LANGUAGES}
    assert len(set(found.values())) == len(LANGUAGES)
    assert all("{" not in text and "_" not in text for text in found.values())
    return found["en"]


async def visited(site: Site, station: StationAt, key: HookedKey) -> None:
    """In, PIN, on, out: as with any other key."""
    station.insert(key)
    await station.until(Line.PROMPT)
    station.type(f"*{PINS[ANNA]}#")
    await station.until(Line.READY)
    assert site.opens(key)
    await station.idle()
    await station.out()
    site.skip(10)


async def test_garbage_in_every_file_but_id_keeps_nobody_out(site: Site) -> None:
    """First in one file after the other, then in all of them: every kind has been in every file."""
    station, key = await site.station(), site.key(HER_KEY)
    contents = list((garbage(SEED) | genuine(site)).values())
    rounds = [{file: contents[2]} for file in OTHER_FILES]
    rounds += [
        {file: contents[(n + at) % len(contents)] for at, file in enumerate(OTHER_FILES)} for n in range(len(contents))
    ]
    for spoiled in rounds:
        for file, content in spoiled.items():
            key.folder.store(file, content)
        told = key_report.lines(key_report.report(content_of_folder(key.folder), (site.central.public,)))
        assert all(line.isprintable() for line in told)
        await visited(site, station, key)
        assert {file for file, content in spoiled.items() if content and key.file(file) == content} <= NOT_MENDED
    counts = await station.counts()
    assert counts["key_activated"] == counts["key_synced"] == len(rounds)
    assert not counts.keys() - {"key_activated", "key_deactivated", "key_synced", "record_refused"}
    assert {e["data"]["reason"] for e in await station.events("record_refused")} == {"log_garbage"}


async def test_garbage_in_id_is_off_and_to_be_handed_in(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    whole = key.file(KeyFile.ID)
    contents = garbage(SEED) | {
        "cut short": whole[:-20],
        "with something behind it": whole + b"\x00",
        "a permit": decoded(site.objects["permit", ANNA]["record"]),
    }
    await visited(site, station, key)
    act = key.file(KeyFile.ACT)
    # Empty is something else: a blank key.
    contents = {what: content for what, content in contents.items() if len(content) > 1}
    for content in contents.values():
        key.folder.store(KeyFile.ACT, act)
        key.folder.store(KeyFile.ID, content)
        station.insert(key)
        screen = await station.until(Line.UNREADABLE)
        assert said(screen) == (
            "Key is OFF. Take it out. | "
            "It cannot be used: it does not say which key it is. "
            "Do this: Take another key from the pool. Hand this one to your coordinator."
        )
        assert key.file(KeyFile.ACT) == b""
        await station.idle()
        await station.out()
        site.skip(10)
    reasons = [e["data"]["reason"] for e in await station.events("key_read_failed")]
    assert reasons == ["bad_key_record"] * len(contents)
    assert (await station.counts())["key_deactivated"] == len(contents)
    station.insert(key)
    told = await shown_by_key_show(site, station)
    assert told.lines[0] == "a key that does not say which it is"
    assert any(line.startswith("id") and "NOT valid: record_" in line for line in told.lines)


async def test_another_keys_record_makes_it_that_key(site: Site) -> None:
    """It is signed: what was the one key is the other one now, and her PIN is a wrong one."""
    station, key = await site.station(), site.key(HER_KEY)
    key.folder.store(KeyFile.ID, decoded(site.objects["key", HIS_KEY]["record"]))
    station.insert(key)
    assert (await station.until(Line.PROMPT)).key == HIS_KEY
    station.type(f"{PINS[ANNA]}#")
    await station.until(Line.WRONG_PIN)
    assert not site.opens(key)


async def test_a_key_that_keeps_its_files_elsewhere_is_not_called_off(site: Site) -> None:
    """Switched on by a station that knows its folder; this one finds neither an activation nor anything else."""
    knows, does_not = await site.station(key_folder="/ext"), await site.station(2)
    key = site.key(HER_KEY, folder="/ext")
    await site.switch_on(knows, key)
    await knows.out()
    site.skip(10)
    does_not.insert(key)
    screen = await does_not.until(Line.STILL_ON)
    assert said(screen).startswith("Key may still be ON. Take it out and put it in again.")
    await does_not.idle()
    assert await does_not.counts() == {"key_read_failed": 1, "key_clear_failed": 1}
    assert site.opens(key)


@pytest.mark.parametrize("content", [None, b"\x00"], ids=["no_file", "emptied"])
async def test_a_blank_key_is_off_and_may_be_handed_out(site: Site, content: bytes | None) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    (key.folder.path / "id").unlink()
    if content is not None:
        key.folder.store(KeyFile.ID, content)
    key.folder.store(KeyFile.ACT, b"an activation")
    station.insert(key)
    # Nobody is there to ask.
    shown = await station.until(Line.BLANK)
    assert "Blank key. There is no network here now. Use another station." in said(shown)
    await station.idle()
    assert key.file(KeyFile.ACT) == b""
    assert await station.counts() == {"key_deactivated": 1}


async def test_an_update_box_hands_no_key_out(site: Site) -> None:
    box, key = await site.station(12, role=Role.UPDATE_BOX), site.key(HER_KEY)
    (key.folder.path / "id").unlink()
    box.insert(key)
    await box.until(Line.UNREADABLE)
    assert await box.counts() == {"key_read_failed": 1}


# --- files of megabytes


@pytest.mark.parametrize("hashes", [("sha256",), ()], ids=["with hashes", "without"])
async def test_files_of_megabytes_are_neither_read_nor_hashed_to_the_end(site: Site, hashes: tuple[str, ...]) -> None:
    station = await site.station()
    key = site.key(HER_KEY, hashes=hashes, hash_limit_bytes=20_000, capacity_bytes=10 * HUGE)
    for file in OTHER_FILES:
        key.folder.store(file, random.Random(SEED).randbytes(HUGE))
    station.insert(key)
    told = await shown_by_key_show(site, station)
    assert sum("NOT valid: too_large" in line for line in told.lines) == len(OTHER_FILES)
    assert key.exchanged_bytes < 15_000
    station.line.pull()
    station.start()
    before = key.exchanged_bytes
    await visited(site, station, key)
    assert key.exchanged_bytes - before < 22_000
    assert (await station.counts())["key_deactivated"] == 1
    assert len(key.file(KeyFile.ACT)) < 1000


async def test_a_log_of_megabytes_is_read_in_parts_and_never_waited_for(site: Site) -> None:
    """More than any key may have: each visit takes as much as a whole log."""
    station, key = await site.station(), site.key(HER_KEY, buffer_bytes=2048, capacity_bytes=10 * HUGE)
    entry = [1_790_000_000, 101, "opened", ANNA, 70]
    log = cbor2.dumps(1) + b"".join(cbor2.dumps([seq, *entry]) for seq in range(1, 5000))
    key.folder.store(KeyFile.LOG, log + bytes(HUGE))
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    assert key.exchanged_bytes < 90_000
    first = len(await station.events("lock_opened"))
    assert 2000 < first < 4000
    assert cbor2.loads(key.file(KeyFile.ACK)) == [1, first]


# --- keys that take no more


async def test_a_key_without_room_for_its_activation(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    key.use(replace(key.options, capacity_bytes=key.folder.used_bytes(without="") + 20))
    station.type(f"{PINS[ANNA]}#")
    screen = await station.until(Line.REFUSED)
    assert screen.refusal is Refusal.KEY_FAULT
    assert said(screen) == (
        "The key could not be switched ON. Take it out and put it in again. | "
        "Key 501 · Person 2. "
        "Do this: If this happens again, hand it to your coordinator and take another key from the pool."
    )
    await station.idle()
    assert key.file(KeyFile.ACT) == b""
    assert not site.opens(key)
    (refused,) = await station.events("key_refused")
    assert refused["data"]["reason"] == "key_fault"
    assert (await station.store.real.attempts(HER_KEY)).failures == 0
    assert "key.not_activated key_error what=act group=8 rc=10" in caplog.text
    assert (await station.out()).line is Line.OUT_OFF


async def test_a_full_key_can_still_be_switched_off(site: Site) -> None:
    """The byte that says *empty* has no room, but what was there has gone before it."""
    station, key = await site.station(), site.key(HER_KEY)
    await visited(site, station, key)
    key.use(replace(key.options, capacity_bytes=100))
    station.insert(key)
    await station.until(Line.PROMPT)
    assert key.file(KeyFile.ACT) == b""
    await station.idle()
    counts = await station.counts()
    assert (counts["key_deactivated"], counts["key_clear_failed"]) == (1, 0)


@pytest.mark.parametrize("role", [Role.SYNC_STATION, Role.ACTIVATION_BOX])
async def test_a_worn_out_key_stays_on_and_the_screen_says_so(site: Site, role: Role) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    await visited(site, station, key)
    key.use(replace(key.options, read_only=True))
    other = await site.station(2, role=role)
    other.insert(key)
    screen = await other.until(Line.STILL_ON)
    assert screen.still_on_until is not None
    assert said(screen)
    await other.idle()
    assert await other.counts() == {"key_clear_failed": 1}
    told = await shown_by_key_show(site, other)
    assert told.fields["active"]


# --- an old `ack`

ACKS: dict[str, bytes] = {
    "of an older generation": cbor2.dumps([1, 40]),
    "of a generation to come": cbor2.dumps([9, 2]),
    "beyond the log": cbor2.dumps([3, 4000]),
    "negative": cbor2.dumps([-1, -7]),
    "no ack": b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
}


async def test_an_old_ack_loses_no_entry_and_doubles_none(tmp_path: Path) -> None:
    await on_sites(tmp_path, ACKS.values(), _with_ack)


async def _with_ack(site: Site, ack: bytes) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    key.folder.store(KeyFile.LOG, cbor2.dumps(3) + cbor2.dumps([50, 1_790_000_000, 101, "opened", ANNA, 70]))
    key.folder.store(KeyFile.ACK, ack)
    for n in range(2):
        await visited(site, station, key)
        key.folder.append_log_entry(time_s=1_790_000_100 + n, lock=101, outcome="opened", holder=ANNA)
    station.central_has(HER_KEY, 3, 51)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    assert [e["data"]["seq"] for e in await station.events("lock_opened")] == [50, 51, 52]
    assert not await station.events("log_gap", "record_refused")
    assert cbor2.loads(key.file(KeyFile.ACK)) == [3, 51]
