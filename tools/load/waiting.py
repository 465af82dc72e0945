"""How long a block takes to reach a thousand stations that wait for news (``wait=50``)."""

import asyncio
import json
import os
import sys
import time

from station.records.base64url import encoded
from tools.load import usage
from tools.load.http1 import Address, Connection
from tools.load.place import ROOT, Database, cursors_of, say
from tools.load.sizes import SIZES

BLOCKS = 5
LOOK_EVERY_S = 1.0
IDLE_SHARE = 0.1
"""Of a core: a server that uses no more has all polls waiting."""
LIMIT_S = 20.0
WAIT_S = 50
SIZE = SIZES["WAITING"]


async def measured(place: Database, address: Address, server: int) -> str:
    """Block `BLOCKS` keys, one after the other. A Markdown table: a row a block. ``server``: its process."""
    cursor = cursors_of(place)[1]
    callers = list(SIZE.callers())
    links = [Connection(address) for _ in callers]
    gate = asyncio.Semaphore(50)

    async def open_one(link: Connection) -> None:
        async with gate:
            await link.open()

    await asyncio.gather(*map(open_one, links))
    words = [sys.executable, "-m", "tools.load.changes", SIZE.name, "0"]
    office = await asyncio.create_subprocess_exec(
        *words, cwd=ROOT, env=place.environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert office.stdin
    assert office.stdout
    rows = ["| block | stations that heard | p50 s | p99 s | last s |", "| --- | --- | --- | --- | --- |"]
    for block in range(1, BLOCKS + 1):
        polls = [
            asyncio.ensure_future(_wait(link, caller.token, cursor))
            for link, caller in zip(links, callers, strict=True)
        ]
        await _settled(server)
        early = sum(poll.done() for poll in polls)
        if early:
            say(f"{early} polls did not wait")
        office.stdin.write(b"block\n")
        committed = float(await office.stdout.readline())
        _, late = await asyncio.wait(polls, timeout=LIMIT_S)
        for poll in late:
            poll.cancel()
        await asyncio.gather(*polls, return_exceptions=True)
        heard = [poll.result() for poll in polls if not poll.cancelled() and poll.exception() is None]
        took = sorted(at - committed for at, cursor_then in heard if cursor_then != cursor)
        cursor = cursors_of(place)[1]
        if took:
            p50, p99 = took[len(took) // 2], took[int(0.99 * len(took))]
            rows.append(f"| {block} | {len(took)} of {len(polls)} | {p50:.2f} | {p99:.2f} | {took[-1]:.2f} |")
        else:
            rows.append(f"| {block} | 0 of {len(polls)} | | | |")
    office.stdin.close()
    await office.wait()
    return "\n".join(rows)


async def _settled(server: int) -> None:
    """Until the server has looked at all polls, and has nothing to do."""
    used = -1.0
    while used < 0 or usage.processor_s([server]) - used > IDLE_SHARE * LOOK_EVERY_S:
        used = usage.processor_s([server])
        await asyncio.sleep(LOOK_EVERY_S)


async def _wait(link: Connection, token: str, since: str) -> tuple[float, str]:
    """When the answer came, and its cursor. Raises RuntimeError for an answer that is none."""
    asked = f"since={since}&nonce={encoded(os.urandom(16))}&limit=500&wait={WAIT_S}"
    status, body = await link.ask("GET", f"/api/v1/mirror/changes?{asked}", {"Authorization": f"Bearer {token}"})
    at = time.time()
    if status != 200:
        raise RuntimeError(str(status))
    return at, str(json.loads(body)["cursor"])
