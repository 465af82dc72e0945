"""The next piece of a file is asked for while the one before it is still coming: a serial line has two directions."""

import asyncio
from dataclasses import dataclass
from typing import Any

import cbor2
import pytest

from drivers.smp import key_socket
from drivers.smp.framing import FrameReader, encode_frame
from drivers.smp.key_socket import SmpKeySocket
from drivers.smp.messages import HEADER
from station.ports import KeyFile, KeyLost, KeyRefused

CONTENT = bytes(range(250)) * 2
PIECE_BYTES = 340
"""Of a key with a buffer of 384 bytes."""


class Held:
    """Keeps the answers of a key until they are let go."""

    def __init__(self) -> None:
        self.holds = False
        self.answers: list[bytes] = []
        self.came = asyncio.Event()

    def __call__(self, answer: bytes) -> list[bytes]:
        if not self.holds:
            return answer.splitlines(keepends=True)
        self.answers.append(answer)
        self.came.set()
        return []

    async def next(self) -> bytes:
        async with asyncio.timeout(2):
            while not self.answers:
                self.came.clear()
                await self.came.wait()
        return self.answers.pop(0)


@dataclass
class Met:
    """A key on a bad line that has said how large its buffer is."""

    socket: SmpKeySocket
    line: Any
    held: Held

    def offsets_asked(self) -> list[int]:
        """Of the downloads since the answers are held."""
        asked = [message for message in FrameReader().feed(self.line.heard) if message is not None]
        bodies = [cbor2.loads(message[HEADER.size :]) for message in asked]
        return [body["off"] for body in bodies if body.get("name") == "/lfs1/permit"]


@pytest.fixture
async def met(hands: Any, bad_line: Any, request: pytest.FixtureRequest) -> Met:
    options = getattr(request, "param", {})
    held = Held()
    key = hands.key(**options)
    key.folder.store("permit", CONTENT)
    key.folder.store("id", b"the id")
    line = bad_line(key, held)
    socket = hands.socket(115200)
    await asyncio.wait_for(socket.inserted(), 5)
    await socket.write(KeyFile.CERT, bytes(200))
    held.holds, line.heard = True, b""
    return Met(socket, line, held)


def first_line(answer: bytes) -> tuple[bytes, bytes]:
    end = answer.index(b"\n") + 1
    return answer[:end], answer[end:]


async def test_the_next_piece_is_asked_for_when_the_first_line_of_this_one_is_there(met: Met, until: Any) -> None:
    reading = asyncio.create_task(met.socket.read(KeyFile.PERMIT))
    begun, rest = first_line(await met.held.next())
    await asyncio.sleep(0.02)
    assert met.offsets_asked() == [0]
    met.line.say(begun)
    await until(lambda: met.offsets_asked() == [0, PIECE_BYTES])
    met.line.say(rest)
    met.line.say(await met.held.next())
    assert await reading == CONTENT
    assert met.offsets_asked() == [0, PIECE_BYTES]


async def test_both_answers_at_once(met: Met) -> None:
    reading = asyncio.create_task(met.socket.read(KeyFile.PERMIT))
    begun, rest = first_line(await met.held.next())
    met.line.say(begun)
    met.line.say(rest + await met.held.next())
    assert await reading == CONTENT


@pytest.mark.parametrize(
    "met",
    [
        {"buffer_count": 1},
        {"buffer_count": 2},  # one for the request, one for the answer
        {"buffer_bytes": 2048},  # at this speed an answer in vain would take a fifth of a second
        {"buffer_bytes": 128},  # it fills answers further than a request to it may go
    ],
    indirect=True,
    ids=str,
)
async def test_such_a_key_is_asked_when_it_has_answered(met: Met) -> None:
    content = bytes(range(250)) * 12
    met.line.key.folder.store("permit", content)
    reading = asyncio.create_task(met.socket.read(KeyFile.PERMIT))
    begun, rest = first_line(await met.held.next())
    met.line.say(begun)
    await asyncio.sleep(0.02)
    assert met.offsets_asked() == [0]
    met.held.holds = False
    met.line.say(rest)
    assert await reading == content
    asked = met.offsets_asked()
    assert asked == sorted(set(asked))
    assert asked[-1] < len(content)


async def test_a_short_answer_has_no_next_piece(met: Met) -> None:
    met.line.key.folder.store("permit", CONTENT[: PIECE_BYTES - 4])
    reading = asyncio.create_task(met.socket.read(KeyFile.PERMIT))
    begun, rest = first_line(await met.held.next())
    met.line.say(begun)
    await asyncio.sleep(0.02)
    met.line.say(rest)
    assert await reading == CONTENT[: PIECE_BYTES - 4]
    assert met.offsets_asked() == [0]


async def test_the_last_piece_has_no_next_one(met: Met) -> None:
    met.line.key.folder.store("permit", bytes(2 * PIECE_BYTES))
    met.held.holds = False
    assert await met.socket.read(KeyFile.PERMIT) == bytes(2 * PIECE_BYTES)
    assert met.line.heard.count(b"\x06\x09") == 2


async def test_a_file_that_is_longer_than_it_may_be_is_not_read_on(met: Met) -> None:
    met.held.holds = False
    with pytest.raises(KeyRefused, match="too_large"):
        await met.socket.read(KeyFile.PERMIT, limit_bytes=PIECE_BYTES)
    assert met.line.heard.count(b"\x06\x09") == 1


async def test_the_answer_to_what_nobody_asks_any_more_is_no_answer_to_something_else(met: Met) -> None:
    reading = asyncio.create_task(met.socket.read(KeyFile.PERMIT, limit_bytes=400))
    begun, rest = first_line(await met.held.next())
    met.line.say(begun)
    stray = await met.held.next()
    met.line.say(rest)
    with pytest.raises(KeyRefused, match="too_large"):
        await reading
    other = asyncio.create_task(met.socket.read(KeyFile.ID))
    answer = await met.held.next()
    met.line.say(stray)
    await asyncio.sleep(0.01)
    assert not other.done()
    met.line.say(answer)
    assert await other == b"the id"


async def test_the_beginning_of_another_answer_is_none(met: Met) -> None:
    reading = asyncio.create_task(met.socket.read(KeyFile.PERMIT))
    begun, rest = first_line(await met.held.next())
    (message,) = FrameReader().feed(begun + rest)
    assert message is not None
    late = bytearray(message)
    late[6] ^= 1  # the answer to an earlier request
    met.line.say(first_line(encode_frame(bytes(late)))[0])
    await asyncio.sleep(0.02)
    assert met.offsets_asked() == [0]
    met.line.say(begun)
    met.line.say(rest)
    met.line.say(await met.held.next())
    assert await reading == CONTENT


async def test_an_answer_before_the_request_is_none(met: Met) -> None:
    reading = asyncio.create_task(met.socket.read(KeyFile.PERMIT))
    begun, rest = first_line(await met.held.next())
    (message,) = FrameReader().feed(begun + rest)
    assert message is not None
    header = list(HEADER.unpack_from(message))
    body = cbor2.dumps({"off": PIECE_BYTES, "data": b"forged"})
    header[2], header[4] = len(body), (header[4] + 1) & 0xFF
    met.line.say(begun + rest + encode_frame(HEADER.pack(*header) + body))
    met.line.say(await met.held.next())
    assert await reading == CONTENT


async def test_a_key_that_hears_nothing_while_it_answers_is_found_out_once(hands: Any) -> None:
    key = hands.key(hears_while_it_answers=False)
    key.folder.store("permit", CONTENT)
    socket, _ = await hands.inserted(key)
    await socket.write(KeyFile.CERT, bytes(200))
    with pytest.raises(KeyLost, match="no_answer"):
        await socket.read(KeyFile.PERMIT)
    for _ in range(2):
        await asyncio.wait_for(socket.inserted(), 5)
        await socket.write(KeyFile.CERT, bytes(200))
        assert await socket.read(KeyFile.PERMIT) == CONTENT


async def test_what_is_lost_behind_an_answer_in_vain_is_blamed_on_that(
    met: Met, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_socket, "ANSWER_TIMEOUT_S", 0.05)
    reading = asyncio.create_task(met.socket.read(KeyFile.PERMIT, limit_bytes=400))
    begun, rest = first_line(await met.held.next())
    met.line.say(begun)
    await met.held.next()
    met.line.say(rest)
    with pytest.raises(KeyRefused, match="too_large"):
        await reading
    with pytest.raises(KeyLost):
        await met.socket.read(KeyFile.ID)
    assert met.socket._one_by_one_until > 0


async def test_a_key_that_says_it_has_no_room_for_a_piece_and_has(hands: Any, bad_line: Any) -> None:
    """What it is asked for next would be what it was asked for: an old answer would pass as a new one."""

    def lying(answer: bytes) -> list[bytes]:
        (message,) = FrameReader().feed(answer)
        assert message is not None
        body = cbor2.loads(message[HEADER.size :])
        if "buf_size" in body:
            header = list(HEADER.unpack_from(message))
            lie = cbor2.dumps(body | {"buf_size": 44})
            header[2] = len(lie)
            answer = encode_frame(HEADER.pack(*header) + lie)
        return answer.splitlines(keepends=True)

    key = hands.key()
    bad_line(key, lying)
    socket = hands.socket()
    await asyncio.wait_for(socket.inserted(), 5)
    with pytest.raises(KeyRefused, match="buffer_too_small"):
        await socket.write(KeyFile.CERT, bytes(200))
    for content in (b"\x64data\x40" + bytes(200), b"\x64data\x40" + bytes(201)):
        key.folder.store("id", content)
        assert await socket.read(KeyFile.ID) == content


async def test_a_file_as_long_as_a_piece(met: Met) -> None:
    met.line.key.folder.store("permit", CONTENT[:PIECE_BYTES])
    met.held.holds = False
    assert await met.socket.read(KeyFile.PERMIT) == CONTENT[:PIECE_BYTES]
    assert await met.socket.read(KeyFile.ID) == b"the id"


@pytest.mark.parametrize("damaged", ["this answer", "the next"])
async def test_after_a_loss_keys_are_asked_one_by_one(met: Met, damaged: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_socket, "ANSWER_TIMEOUT_S", 0.05)
    reading = asyncio.create_task(met.socket.read(KeyFile.PERMIT))
    begun, rest = first_line(await met.held.next())
    met.line.say(begun)
    await met.held.next()
    met.line.say(rest if damaged == "the next" else b"?" + rest[1:])
    with pytest.raises(KeyLost):
        await reading
    met.held.holds = False
    for one_by_one in (True, False):
        await asyncio.wait_for(met.socket.inserted(), 5)
        await met.socket.write(KeyFile.CERT, bytes(200))
        met.held.holds, met.line.heard = True, b""
        reading = asyncio.create_task(met.socket.read(KeyFile.PERMIT))
        begun, rest = first_line(await met.held.next())
        met.line.say(begun)
        await asyncio.sleep(0.02)
        assert (met.offsets_asked() == [0]) is one_by_one
        met.line.say(rest)
        met.line.say(await met.held.next())
        assert await reading == CONTENT
        met.held.holds = False
        monkeypatch.setattr(met.socket, "_one_by_one_until", 0.0)
