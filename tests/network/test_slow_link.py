"""On a mobile network: a visit takes no longer, one connection is kept, and little passes."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from station.sync import client as central_link
from station.sync import mirror
from tests.network.branch import Central, Phases, served
from tests.network.measure import figures
from tests.network.slow_link import GSM, LAN, Quality, SlowLink, Traffic

pytestmark = pytest.mark.slow

RATIO_MAX = 1.5
SLACK_S = 0.5
"""A busy machine's moods; one more round trip would be 0.6 s, a new connection more than 2."""
POLL_LIMIT_BYTES = 1000
VISIT_LIMIT_BYTES = 2500
PERMISSION_LIMIT_BYTES = 2500
HANDSHAKE_LIMIT_BYTES = 4000
"""Stated in docs/reference/network.md are 435, 1,500, 1,020 and 2,300."""
POLLS = 240
"""Four hours of them. Neither side counts what passes on a connection: what is kept for these is kept for a day."""
SERVING = Path(__file__).parents[2] / "central" / "serving" / "serve.py"


@pytest_asyncio.fixture
async def central(tmp_path: Path) -> AsyncIterator[Central]:
    async with served(tmp_path) as it:
        yield it


def as_quick(on_lan: Phases, on_gsm: Phases) -> bool:
    """Whether the network is not noticed."""
    return (
        on_gsm.prompt_s < RATIO_MAX * on_lan.prompt_s + SLACK_S
        and on_gsm.ready_s < RATIO_MAX * on_lan.ready_s + SLACK_S
    )


async def test_a_visit_is_as_quick_as_on_a_lan_little_passes_and_one_connection_is_kept(
    central: Central, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await figures(central, visits=2, until=as_quick)
    with capsys.disabled():
        print("", *found.lines(), sep="\n")  # noqa: T201
    assert as_quick(found.on_lan, found.on_gsm)
    assert found.handshake.connections == 1
    assert found.handshake.both_bytes < HANDSHAKE_LIMIT_BYTES
    assert found.visit.connections == found.poll.connections == found.permission.connections == 0
    assert found.poll.both_bytes < POLL_LIMIT_BYTES
    assert found.visit.both_bytes < VISIT_LIMIT_BYTES
    assert found.permission.both_bytes < PERMISSION_LIMIT_BYTES

    await _polls_and_events_need_one_connection(central)


async def _polls_and_events_need_one_connection(central: Central) -> None:
    async with central.branch(3, LAN) as branch:
        # For the signed time, and for all that follows.
        assert branch.link.traffic.connections == 2
        for at in range(POLLS):
            if at % 60 == 0:
                # Beside a poll, as a visit's events are: it waits for its turn.
                await branch.station.record_event("central_lost")
            await branch.poll()
        await branch.quiet()
        assert branch.link.traffic.connections == 2


def test_a_connection_outlives_the_longest_wait_between_polls() -> None:
    longest_s = 60 * (1 + mirror.JITTER)
    # Read, not imported: in this process there is no Django.
    (server_s,) = re.findall(r"^KEEP_ALIVE_S = ([0-9]+)$", SERVING.read_text(), re.MULTILINE)
    assert longest_s < central_link.KEEP_ALIVE_S < int(server_s)


@pytest.mark.parametrize("quality", [LAN, GSM], ids=["lan", "gsm"])
async def test_the_link_is_as_slow_as_it_says(quality: Quality) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(100):
            writer.write(b"x" * 1400)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    link = SlowLink(server.sockets[0].getsockname()[1], quality)
    await link.start()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    for _ in range(2):
        writer.write(b"?")
        await reader.readexactly(1400)
    took_s = loop.time() - begun
    assert link.traffic == Traffic(up_bytes=2, down_bytes=2800, connections=1)
    # Opening, and two questions with their answers.
    expected_s = 3 * quality.round_trip_s + 8 * 2802 / quality.bits_s if quality.bits_s else 0.0
    assert expected_s <= took_s < expected_s + 2.0
    writer.close()
    await writer.wait_closed()
    await link.stop()
    server.close()
