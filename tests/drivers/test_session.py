"""What is done with one key: with the real pyserial on a real pseudo-terminal, and a well-connected emulated key."""

import asyncio
from typing import Any

import pytest

from drivers.smp.files import MAX_FILE_BYTES
from drivers.smp.session import SWAPPED_WITHIN_S, SmpKeySession
from station.ports import KeyFile, KeyLost, KeyRefused, KeySession
from station.rules.facts import KeyClock, KeyClockState

FIRMWARES: dict[str, dict[str, Any]] = {
    "zephyr": {},
    "old": {"error_version": 1, "milliseconds": True},
    "bare": {"hashes": (), "has_status": False, "has_parameters": False, "has_close": False},
    "crc only": {"hashes": ("crc32",), "buffer_bytes": 1024},
    "old crc only": {"hashes": ("crc32",), "error_version": 1},
    "status only": {"hashes": (), "buffer_bytes": 256},
    "two fragments": {"buffer_bytes": 128, "max_request_lines": 2},
}
# Keys that lose a long request though they did not say so are in `test_bad_links`.


def is_a_key_session(session: SmpKeySession) -> KeySession:
    """For the type checker."""
    return session


def requests_to(key: Any) -> list[bytes]:
    """The requests that a key gets from now on."""
    asked: list[bytes] = []
    handle = key.handle

    def noted(request: bytes) -> bytes | None:
        asked.append(request)
        return handle(request)  # type: ignore[no-any-return]

    key.handle = noted
    return asked


@pytest.mark.parametrize("firmware", FIRMWARES)
@pytest.mark.parametrize("size", [2, 60, 300, 340, 341, 1000, 4096])
async def test_what_is_written_is_read(hands: Any, firmware: str, size: int) -> None:
    key = hands.key(**FIRMWARES[firmware])
    session, _ = await hands.inserted(key)
    content = bytes(n % 251 for n in range(size))
    assert await session.read(KeyFile.PERMIT) == b""
    assert await session.holds(KeyFile.PERMIT, content) is False
    await session.write(KeyFile.PERMIT, content)
    assert key.folder.read(KeyFile.PERMIT) == content
    assert await session.read(KeyFile.PERMIT) == content
    assert await session.holds(KeyFile.PERMIT, content) is True
    assert await session.holds(KeyFile.PERMIT, content[:-1] + b"?") is False
    assert await session.holds(KeyFile.PERMIT, content + b"?") is False
    await session.write(KeyFile.PERMIT, b"short")  # nothing of the longer one is left
    assert await session.read(KeyFile.PERMIT) == b"short"


@pytest.mark.parametrize("firmware", FIRMWARES)
async def test_clear(hands: Any, firmware: str) -> None:
    key = hands.key(**FIRMWARES[firmware])
    session, _ = await hands.inserted(key)
    for _ in range(2):
        await session.write(KeyFile.ACT, bytes(200))
        await session.clear(KeyFile.ACT)
        assert key.folder.stored("act") == b"\x00"
        assert await session.read(KeyFile.ACT) == b""
        assert await session.holds(KeyFile.ACT, b"") is True
        assert await session.holds(KeyFile.ACT, bytes(200)) is False
    await session.write(KeyFile.ACT, b"")
    assert key.folder.stored("act") == b"\x00"


@pytest.mark.parametrize("stored", [None, b"", b"\x00", b"x"])
@pytest.mark.parametrize("firmware", FIRMWARES)
async def test_missing_or_at_most_one_byte_is_empty(hands: Any, firmware: str, stored: bytes | None) -> None:
    key = hands.key(**FIRMWARES[firmware])
    if stored is not None:
        key.folder.store("act", stored)
    session, _ = await hands.inserted(key)
    assert await session.read(KeyFile.ACT) == b""
    assert await session.holds(KeyFile.ACT, bytes(100)) is False
    assert await session.holds(KeyFile.ACT, b"") is True


async def test_read_from_an_offset_on(hands: Any) -> None:
    key = hands.key()
    content = bytes(n % 251 for n in range(1000))
    key.folder.store("log", content)
    session, _ = await hands.inserted(key)
    for offset in (0, 1, 340, 680, 999, 1000, 1001, 5000):
        assert await session.read_from(KeyFile.LOG, offset) == content[offset : offset + 340]
    key.folder.store("log", content + b"more")
    assert await session.read_from(KeyFile.LOG, 1000) == b"more"


@pytest.mark.parametrize(("size", "requests"), [(336, 1), (340, 1), (341, 2), (680, 2), (681, 3)])
async def test_a_file_is_read_with_as_few_requests_as_can_be(hands: Any, size: int, requests: int) -> None:
    key = hands.key()
    key.folder.store("permit", bytes(size))
    session, _ = await hands.inserted(key)
    asked = requests_to(key)
    assert await session.read(KeyFile.PERMIT) == bytes(size)
    assert len(asked) == requests


async def test_the_next_piece_is_asked_for_when_this_one_is_there_and_not_before(
    hands: Any, bad_line: Any, until: Any
) -> None:
    def but_for_the_end(answer: bytes) -> list[bytes]:
        held.append(answer[-1:])
        return [answer[:-1]]

    held: list[bytes] = []
    key = hands.key()
    key.folder.store("permit", bytes(500))
    line = bad_line(key, lambda answer: [answer])
    session = await hands.next_key()
    asked, line.mangle = requests_to(key), but_for_the_end
    reading = asyncio.create_task(session.read(KeyFile.PERMIT))
    for answers in (1, 2):
        await until(lambda: held)
        await asyncio.sleep(0.05)
        assert len(asked) == answers
        line.say(held.pop())
    assert await reading == bytes(500)


async def test_more_than_the_limit_is_refused_before_it_is_read(hands: Any) -> None:
    key = hands.key()
    key.folder.store("log", bytes(20000))
    session, _ = await hands.inserted(key)
    before = session.wire_bytes
    with pytest.raises(KeyRefused, match="too_large"):
        await session.read(KeyFile.LOG, 19999)
    assert session.wire_bytes - before < 1000
    with pytest.raises(KeyRefused, match="too_large"):
        await session.read(KeyFile.LOG, 339)  # what one answer has carried
    assert await session.read(KeyFile.LOG, 20000) == bytes(20000)
    with pytest.raises(KeyRefused, match="too_large"):
        await session.write(KeyFile.LOG, bytes(MAX_FILE_BYTES + 1))
    assert await session.holds(KeyFile.LOG, b"x") is False


@pytest.mark.parametrize("firmware", FIRMWARES)
async def test_clock(hands: Any, firmware: str) -> None:
    key = hands.key(**FIRMWARES[firmware])
    session, _ = await hands.inserted(key)
    assert await session.clock() == KeyClock(KeyClockState.UNSET)
    await session.set_clock(1_777_863_721)
    clock = await session.clock()
    assert clock.state is KeyClockState.SET
    assert clock.unix_s is not None
    assert 0 <= clock.unix_s - 1_777_863_721 <= 2
    key.lose_power()
    key.press()
    assert await session.clock() == KeyClock(KeyClockState.UNSET)


async def test_a_key_without_a_clock(hands: Any) -> None:
    session, _ = await hands.inserted(hands.key(has_clock=False))
    assert await session.clock() == KeyClock(KeyClockState.ABSENT)
    with pytest.raises(KeyRefused, match="not_supported"):
        await session.set_clock(1_777_863_721)


async def test_a_full_key_refuses_and_goes_on(hands: Any) -> None:
    key = hands.key(capacity_bytes=600)
    session, _ = await hands.inserted(key)
    with pytest.raises(KeyRefused, match="key_error") as refused:
        await session.write(KeyFile.BLOCK, bytes(1000))
    assert refused.value.fields == {"what": "block", "group": 8, "rc": 10}
    await session.write(KeyFile.ACT, b"an activation")
    assert await session.read(KeyFile.ACT) == b"an activation"


@pytest.mark.parametrize(("buffer_bytes", "requests"), [(384, 12), (1024, 4), (4096, 1)])
async def test_uploads_fill_the_announced_buffer(hands: Any, buffer_bytes: int, requests: int) -> None:
    key = hands.key(buffer_bytes=buffer_bytes)
    session, _ = await hands.inserted(key)
    asked = requests_to(key)
    await session.write(KeyFile.BLOCK, bytes(60))
    assert len(asked) == 1  # it fits what every key takes: nothing is asked
    await session.write(KeyFile.BLOCK, bytes(3900))
    assert len(asked) == 1 + 1 + requests
    assert buffer_bytes - 6 <= max(map(len, asked)) <= buffer_bytes - 4 or requests == 1
    await session.write(KeyFile.BLOCK, bytes(3900))
    assert len(asked) == 1 + 1 + 2 * requests  # asked once per session


async def test_transfers_and_presence_never_interleave(hands: Any) -> None:
    key = hands.key()
    session, _ = await hands.inserted(key, baud=230400)
    gone = asyncio.create_task(session.gone())
    contents = {file: bytes([n]) * 700 for n, file in enumerate((KeyFile.PERMIT, KeyFile.CERT, KeyFile.BLOCK), 1)}
    await asyncio.gather(*(session.write(file, content) for file, content in contents.items()), session.clock())
    read = await asyncio.gather(*(session.read(file) for file in contents))
    assert read == list(contents.values())
    assert {file: key.folder.read(file) for file in contents} == contents
    assert not gone.done()
    gone.cancel()


async def test_a_cancelled_transfer_leaves_the_wire_usable(hands: Any, until: Any) -> None:
    key = hands.key()
    session, _ = await hands.inserted(key, baud=115200)
    for _ in range(3):
        writing = asyncio.create_task(session.write(KeyFile.PERMIT, bytes(1000)))
        await until(lambda: key.has_open_file)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await session.write(KeyFile.PERMIT, b"p" * 700)
        assert await session.read(KeyFile.PERMIT) == b"p" * 700


async def test_bytes_are_counted_from_the_beginning_of_the_session_to_its_end(hands: Any) -> None:
    session, line = await hands.inserted(hands.key())
    assert session.wire_bytes == 0
    before = line.wire_bytes
    await session.write(KeyFile.PERMIT, bytes(300))
    counted = session.wire_bytes
    assert counted == line.wire_bytes - before > 400
    session.end()
    await (await hands.next_key()).read(KeyFile.PERMIT)
    assert session.wire_bytes == counted


async def test_a_file_is_replaced_in_one_request_or_not_at_all(hands: Any) -> None:
    key = hands.key()
    session, _ = await hands.inserted(key)
    await session.replace(KeyFile.PERMIT, bytes(200))
    assert key.folder.read(KeyFile.PERMIT) == bytes(200)
    with pytest.raises(KeyRefused, match="not_at_one_stroke"):
        await session.replace(KeyFile.PERMIT, bytes(400))
    assert key.folder.read(KeyFile.PERMIT) == bytes(200)
    assert not key.has_open_file


async def test_what_is_replaced_is_read_back(hands: Any) -> None:
    key = hands.key()
    key.folder.store("id", b"the old id")
    session, _ = await hands.inserted(key)
    assert await session.read(KeyFile.ID) == b"the old id"
    store = key.folder.store
    key.folder.store = lambda name, content: store(name, content[:-1] + b"?")
    with pytest.raises(KeyRefused, match="write_differs"):
        await session.replace(KeyFile.ID, b"the new id")
    assert session.id_record == b"the old id"


# --- which key it is ---


async def test_a_session_knows_the_id_that_was_read_or_replaced(hands: Any, until: Any) -> None:
    key = hands.key()
    key.folder.store("id", b"the id")
    session, _ = await hands.inserted(key)
    unread = session.id_record
    await session.read(KeyFile.ID)
    assert (unread, session.id_record) == (None, b"the id")
    gone = asyncio.create_task(session.gone())
    await session.replace(KeyFile.ID, b"the next id")
    assert session.id_record == b"the next id"
    assert await session.read(KeyFile.ID) == b"the next id"
    for write, content in ((session.write(KeyFile.ID, b"written"), b"written"), (session.clear(KeyFile.ID), b"")):
        await write
        await until(lambda: session.id_record is not None)  # whoever watches has seen it
        assert session.id_record == content
        assert await session.read(KeyFile.ID) == content
    assert not gone.done()
    session.end()
    await gone


@pytest.mark.parametrize("read_before", [True, False])
async def test_a_key_swapped_between_two_looks_is_a_removal(hands: Any, until: Any, *, read_before: bool) -> None:
    first, second = hands.key("first"), hands.key("second")
    first.folder.store("id", b"first key's record")
    second.folder.store("id", b"second key's record")
    session, line = await hands.inserted(first)
    gone = asyncio.create_task(session.gone())
    if read_before:
        assert await session.read(KeyFile.ID) == b"first key's record"
    else:
        await until(lambda: session.id_record)
    line.insert(second)
    await asyncio.wait_for(gone, 2)
    with pytest.raises(KeyLost):
        await session.read(KeyFile.ID)
    session = await hands.next_key(2)
    assert await session.read(KeyFile.ID) == b"second key's record"


def swapped(hands: Any) -> tuple[Any, Any]:
    """Two keys that differ in ``id`` only, with a log, an ``ack`` and an ``id`` that must not be mixed up."""
    keys = hands.key("first"), hands.key("second")
    for n, key in enumerate(keys):
        key.folder.store("id", b"id %d" % n)
        key.folder.store("log", b"log %d" % n)
        key.folder.store("ack", b"ack %d" % n)
    return keys


WITH_ANOTHER_KEY: dict[str, tuple[str, tuple[Any, ...]]] = {
    "its log is not read": ("read_from", (KeyFile.LOG, 0)),
    "its log is not forgotten": ("write", (KeyFile.ACK, b"written")),
    "it is not renamed": ("replace", (KeyFile.ID, b"written")),
    "it is seen that it is another": ("read", (KeyFile.ID,)),
}


@pytest.mark.parametrize("action", WITH_ANOTHER_KEY)
async def test_a_swapped_key_is_found_out_before_harm_is_done(hands: Any, action: str) -> None:
    first, second = swapped(hands)
    session, line = await hands.inserted(first)
    await session.read(KeyFile.ID)
    await asyncio.sleep(SWAPPED_WITHIN_S)
    line.insert(second)
    name, arguments = WITH_ANOTHER_KEY[action]
    with pytest.raises(KeyLost, match="another_key"):
        await getattr(session, name)(*arguments)
    assert session.over
    assert second.folder.stored("id") == b"id 1"
    assert second.folder.stored("ack") == b"ack 1"
    with pytest.raises(KeyLost, match="session_over"):
        await session.clock()


async def test_a_key_is_not_asked_again_while_it_is_talked_to(hands: Any) -> None:
    key, _ = swapped(hands)
    session, _ = await hands.inserted(key)
    await session.read(KeyFile.ID)
    asked = requests_to(key)
    for _ in range(20):
        await session.read_from(KeyFile.LOG, 0)
        await asyncio.sleep(SWAPPED_WITHIN_S / 4)
    await session.write(KeyFile.ACK, b"written")
    assert len(asked) == 21
    await asyncio.sleep(SWAPPED_WITHIN_S)
    await session.clock()  # after which it may be another one just as well
    await session.read_from(KeyFile.LOG, 0)
    assert len(asked) == 21 + 1 + 2


@pytest.mark.parametrize("shown", [b"", bytes(2000)], ids=["none", "too long"])
async def test_keys_that_show_no_id_are_one_key(hands: Any, shown: bytes) -> None:
    key = hands.key()
    key.folder.store("id", shown)
    session, _ = await hands.inserted(key)
    gone = asyncio.create_task(session.gone())
    assert await session.read_from(KeyFile.LOG, 0) == b""
    assert session.id_record == b""
    assert await session.read(KeyFile.ID) == shown
    key.folder.store("id", bytes(2001))
    await asyncio.wait({gone}, timeout=0.6)
    assert (session.id_record, gone.done()) == (b"", False)
    session.end()


# --- the end ---


async def test_an_end_is_at_once(hands: Any, bad_line: Any, until: Any) -> None:
    line = bad_line(hands.key(), lambda answer: [answer])
    session = await hands.next_key()
    line.mangle, line.heard = lambda _: [], b""
    gone = asyncio.create_task(session.gone())
    writing = asyncio.create_task(session.write(KeyFile.PERMIT, bytes(3000)))
    waiting = asyncio.create_task(session.clear(KeyFile.ACT))
    await until(lambda: line.heard)
    session.end()
    session.end()
    assert session.over
    await asyncio.wait_for(gone, 0.05)
    for transfer in (writing, waiting):
        with pytest.raises(KeyLost, match="session_over"):
            await asyncio.wait_for(transfer, 0.05)
    await asyncio.wait_for(session.gone(), 0.05)
    for use in (session.read(KeyFile.ID), session.clear(KeyFile.ACT), session.clock(), session.set_clock(0)):
        with pytest.raises(KeyLost, match="session_over"):
            await use


async def test_what_an_ended_session_left_open_is_closed(hands: Any, until: Any) -> None:
    key = hands.key()
    session, _ = await hands.inserted(key, baud=115200)
    writing = asyncio.create_task(session.write(KeyFile.PERMIT, bytes(1000)))
    await until(lambda: key.has_open_file)
    session = await hands.next_key()
    with pytest.raises(KeyLost, match="session_over"):
        await writing
    await session.write(KeyFile.PERMIT, b"p" * 700)
    assert await session.read(KeyFile.PERMIT) == b"p" * 700


async def test_nobody_has_a_turn_while_it_is_not_certain_whether_the_key_is_there(
    hands: Any, bad_line: Any, until: Any
) -> None:
    first, second = swapped(hands)
    line = bad_line(first, lambda answer: [answer])
    session = await hands.next_key()
    gone = asyncio.create_task(session.gone())
    await session.read(KeyFile.ID)
    line.mangle, line.heard = lambda _: [], b""
    await until(lambda: line.heard)
    reading = asyncio.create_task(session.read(KeyFile.ACT))
    await asyncio.sleep(0)
    # One look gets no answer; when there is one again, it is another key's.
    line.key, line.mangle = second, lambda answer: [answer]
    with pytest.raises(KeyLost, match="session_over"):
        await asyncio.wait_for(reading, 2)
    await asyncio.wait_for(gone, 1)


async def test_what_comes_too_late_leaves_nothing_behind_for_the_next_session(hands: Any) -> None:
    key = hands.key()
    before, _ = await hands.inserted(key)
    session = await hands.next_key()
    with pytest.raises(KeyLost, match="session_over"):
        await before.write(KeyFile.PERMIT, bytes(300))
    asked = requests_to(key)
    await session.write(KeyFile.ACT, b"an activation")
    assert len(asked) == 1  # nothing has to be closed before
