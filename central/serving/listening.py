"""Hears of news of sites, for the polls that wait in this process.

On PostgreSQL over one connection that listens. After each connect, and every few seconds, it also reads how far the
sites are for which somebody waits: what was told while nobody listened is not missed, and a connection that is silently
dead is noticed. On SQLite this process tells itself, and a look a second finds what commands in other processes did.
"""

import asyncio
import logging
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.db import Error as DatabaseFault
from django.db import close_old_connections, connection

from central.feed import news
from central.models import FeedCounter
from central.serving.threads import Busy, Threads
from central.serving.waiting import WaitingPolls

if TYPE_CHECKING:
    import psycopg

LOOK_EVERY_S = 5.0
SQLITE_LOOK_EVERY_S = 1.0
AGAIN_S = 1.0
ANSWER_LIMIT_S = 10.0
"""For the database to answer the listening connection: then another one is made."""
NOT_PSYCOPGS = ("cursor_factory", "context", "prepare_threshold")

log = logging.getLogger("central.serving")


async def listen(polls: WaitingPolls, threads: Threads) -> None:
    """Wake the polls that wait, for ever."""
    if connection.vendor == "postgresql":
        await _listen_to_postgresql(polls)
    else:
        loop = asyncio.get_running_loop()

        def tell(site: int, revision: int) -> None:
            loop.call_soon_threadsafe(polls.hear, site, revision)

        news.hear(tell)
        await _look_at_sqlite(polls, threads)


async def _listen_to_postgresql(polls: WaitingPolls) -> None:
    import psycopg  # noqa: PLC0415  (an extra)

    was_lost = False
    while True:
        try:
            listening = await asyncio.wait_for(_connected(), ANSWER_LIMIT_S)
            try:
                polls.forget_news()
                await _look(listening, polls)
                if was_lost:
                    log.warning("news.heard_again")
                was_lost = False
                while True:
                    async for told in listening.notifies(timeout=LOOK_EVERY_S):
                        with suppress(ValueError):
                            site, revision = map(int, told.payload.split())
                            polls.hear(site, revision)
                    await _look(listening, polls)
            finally:
                await asyncio.shield(listening.close())
        except (psycopg.Error, OSError, TimeoutError) as error:
            if not was_lost:
                log.warning("news.not_heard %s", type(error).__name__)
            was_lost = True
        await asyncio.sleep(AGAIN_S * random.uniform(0.5, 1.5))  # noqa: S311


async def _connected() -> "psycopg.AsyncConnection[Any]":
    import psycopg  # noqa: PLC0415

    parameters = {name: value for name, value in connection.get_connection_params().items() if name not in NOT_PSYCOPGS}
    listening = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
    await listening.execute(f"LISTEN {news.CHANNEL}")
    return listening


async def _look(listening: "psycopg.AsyncConnection[Any]", polls: WaitingPolls) -> None:
    async with asyncio.timeout(ANSWER_LIMIT_S):
        read = await listening.execute(
            "SELECT site_id, value FROM central_feedcounter WHERE site_id = ANY(%s)", [polls.sites()]
        )
        for site, revision in await read.fetchall():
            polls.hear(site, revision)


async def _look_at_sqlite(polls: WaitingPolls, threads: Threads) -> None:
    while True:
        await asyncio.sleep(SQLITE_LOOK_EVERY_S)
        sites = polls.sites()
        if not sites:
            continue

        def look(asked: list[int] = sites) -> list[tuple[int, int]]:
            close_old_connections()
            return list(FeedCounter.objects.filter(site__in=asked).values_list("site_id", "value"))

        with suppress(Busy, DatabaseFault):
            for site, revision in await threads.start(look):
                polls.hear(site, revision)
