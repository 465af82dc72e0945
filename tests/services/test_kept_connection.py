"""A connection that a router forgot while idle is no word about central: it is asked once more on a fresh one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from station.sync import client
from station.sync.client import CentralClient, CentralUnreachable
from tests.services.lying_central import Asked, LyingCentral, octets
from tests.services.parts import Parts

EVENT = {"id": "00000000-0000-4000-8000-000000000001"}
Fault = Callable[[asyncio.StreamWriter], Awaitable[None]]


async def _reset(writer: asyncio.StreamWriter) -> None:
    """The router answers in central's place that it knows of no such connection."""


async def _silence(writer: asyncio.StreamWriter) -> None:
    """It throws away what it does not know."""
    await asyncio.Event().wait()


async def _half(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()


def fails(central: LyingCentral, path: str, fault: Fault, times: int = 1) -> None:
    """The first calls of ``path`` reach central, and their answers nobody."""

    async def lie(asked: Asked, writer: asyncio.StreamWriter) -> None:
        reply = central._honest(asked)
        if central.calls(path) <= times:
            await fault(writer)
            return
        writer.write(octets(reply))
        await writer.drain()

    central.asked.clear()
    central.lies[path] = lie


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "READ_TIMEOUT_S", 0.5)


@pytest.mark.parametrize("fault", [_reset, _silence])
async def test_a_forgotten_connection_is_not_central_lost(central: LyingCentral, parts: Parts, fault: Fault) -> None:
    assert await parts.poll()
    fails(central, "/mirror/changes", fault)
    assert await parts.poll()
    assert central.calls("/mirror/changes") == 2
    assert not await parts.events("central_lost")


async def test_a_central_that_is_gone_is_asked_twice_and_no_more(central: LyingCentral, parts: Parts) -> None:
    assert await parts.poll()
    fails(central, "/mirror/changes", _reset, times=9)
    assert not await parts.poll()
    assert central.calls("/mirror/changes") == 2
    assert await parts.events("central_lost")
    # Nothing is kept any more: the next call is on a fresh connection already.
    assert not await parts.poll()
    assert central.calls("/mirror/changes") == 3


async def test_events_whose_answer_was_lost_are_told_twice_and_taken_once(central: LyingCentral, parts: Parts) -> None:
    assert await parts.poll()
    fails(central, "/events", _reset)
    assert [each.status for each in await parts.link.send([EVENT])] == ["duplicate"]
    assert central.calls("/events") == 2


@pytest.mark.parametrize(
    ("path", "fault", "ask"),
    [
        pytest.param("/certificate", _reset, CentralClient.certificate, id="renewed_certificate"),
        pytest.param("/pin", _half, CentralClient.pin, id="answer_has_begun"),
    ],
)
async def test_what_may_not_be_repeated_is_not(
    central: LyingCentral, parts: Parts, path: str, fault: Fault, ask: Callable[[CentralClient], Awaitable[Any]]
) -> None:
    assert await parts.poll()
    fails(central, path, fault)
    with pytest.raises(CentralUnreachable):
        await ask(parts.link)
    assert central.calls(path) == 1
