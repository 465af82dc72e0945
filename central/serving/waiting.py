"""Polls that wait for news of their site, without a thread. All of it runs in the event loop of one process.

A wake is spread over a second at most, and those whose turn it is are answered together: a thousand stations of one
site cost a few statements, and do not come back in one instant.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable

from django.db import close_old_connections
from django.http import HttpResponse

from central.api.http import refusal
from central.api.polls import MayWait, StillNothing, Waited, answers_of
from central.errors import Refused
from central.serving.threads import Busy, Threads

POLLS_OF_A_TOKEN = 2
"""One that waits for news, and one of a visit. In each process."""
SPREAD_LIMIT_S = 1.0
SPREAD_A_POLL_S = 0.001
ANSWERED_AT_ONCE = 100
BUSY_AGAIN_S = 0.2


class _Waiting:
    """One poll that waits."""

    def __init__(self, may_wait: MayWait, answer: "asyncio.Future[HttpResponse]") -> None:
        self.poll, self.revision = may_wait.poll, may_wait.revision
        self.answer = answer
        self.is_over = False
        self.is_due = False

    @property
    def site(self) -> int:
        return self.poll.asked.scope.site


class WaitingPolls:
    """Those of this process."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._of_site: dict[int, set[_Waiting]] = {}
        self._of_token: dict[str, deque[_Waiting]] = {}
        self._newest: dict[int, int] = {}
        """The newest revision of each site that has been heard of."""
        self._due: list[_Waiting] = []
        self._answering: asyncio.Task[None] | None = None
        self._is_stopping = False

    def sites(self) -> list[int]:
        """Those for whose news somebody waits."""
        return list(self._of_site)

    def hear(self, site: int, revision: int) -> None:
        """A change of this site is committed. Wakes those who have not seen it."""
        self._newest[site] = max(revision, self._newest.get(site, 0))
        waking = [each for each in self._of_site.get(site, ()) if each.revision < revision and not each.is_due]
        spread_s = min(SPREAD_LIMIT_S, len(waking) * SPREAD_A_POLL_S)
        for each in waking:
            self._make_due(each, random.uniform(0, spread_s))  # noqa: S311  (nobody gains by guessing it)

    def forget_news(self) -> None:
        """Whatever was heard may be of another database: what there is now is heard anew."""
        self._newest.clear()

    async def answer(self, may_wait: MayWait, when_lost: Callable[[Callable[[], object]], None]) -> HttpResponse:
        """The poll's answer, when there is news or its time is over.

        ``when_lost`` is given what to call when the connection is lost. Raises asyncio.CancelledError then.
        """
        loop = asyncio.get_running_loop()
        me = _Waiting(may_wait, loop.create_future())
        self._limit_token(me)
        self._of_site.setdefault(me.site, set()).add(me)
        when_lost(me.answer.cancel)
        time_is_up = loop.call_later(may_wait.wait_s, self._end, me)
        if self._is_stopping:
            self._end(me)
        elif self._newest.get(me.site, 0) > me.revision:
            self._make_due(me, 0)
        try:
            return await me.answer
        finally:
            time_is_up.cancel()
            self._forget(me)

    def stop(self) -> None:
        """Let nobody wait any longer: the server ends."""
        self._is_stopping = True
        for waiting in list(self._of_site.values()):
            for each in waiting:
                self._end(each)

    def _limit_token(self, me: _Waiting) -> None:
        # The oldest gives way: its connection may be one that a router has forgotten long ago.
        mine = self._of_token.setdefault(me.poll.token, deque())
        mine.append(me)
        if len(mine) > POLLS_OF_A_TOKEN:
            oldest = mine.popleft()
            if not oldest.answer.done():
                again = {"Retry-After": "5"}
                oldest.answer.set_result(refusal(Refused(429, "too_many_polls", "two at a time with one token", again)))

    def _forget(self, me: _Waiting) -> None:
        of_site = self._of_site[me.site]
        of_site.remove(me)
        if not of_site:
            del self._of_site[me.site]
        of_token = self._of_token.get(me.poll.token)
        if of_token is not None and me in of_token:
            of_token.remove(me)
            if not of_token:
                del self._of_token[me.poll.token]

    def _end(self, me: _Waiting) -> None:
        me.is_over = True
        if not me.is_due:
            self._make_due(me, 0)

    def _make_due(self, me: _Waiting, in_s: float) -> None:
        me.is_due = True
        if in_s:
            asyncio.get_running_loop().call_later(in_s, self._put_in_line, me)
        else:
            self._put_in_line(me)

    def _put_in_line(self, me: _Waiting) -> None:
        self._due.append(me)
        if self._answering is None:
            self._answering = asyncio.get_running_loop().create_task(self._answer_due())

    async def _answer_due(self) -> None:
        try:
            while self._due:
                # Whoever becomes due in this round of the loop comes along.
                await asyncio.sleep(0)
                now, self._due = self._due[:ANSWERED_AT_ONCE], self._due[ANSWERED_AT_ONCE:]
                now = [each for each in now if not each.answer.done()]
                if now:
                    await self._answer_all(now)
        finally:
            self._answering = None

    async def _answer_all(self, waiting: list[_Waiting]) -> None:
        waited = [Waited(each.poll, each.is_over) for each in waiting]

        def answer() -> list[HttpResponse | StillNothing]:
            close_old_connections()
            try:
                return answers_of(waited)
            finally:
                close_old_connections()

        try:
            answers: Iterable[HttpResponse | StillNothing] = await self._threads.start(answer)
        except Busy:
            await asyncio.sleep(BUSY_AGAIN_S)
            self._due += waiting
            return
        for each, answer_ in zip(waiting, answers, strict=True):
            if each.answer.done():
                continue
            if isinstance(answer_, StillNothing):
                self._wait_on(each, answer_.revision)
            else:
                each.answer.set_result(answer_)

    def _wait_on(self, me: _Waiting, revision: int) -> None:
        me.is_due, me.revision = False, revision
        if me.is_over or self._newest.get(me.site, 0) > revision:
            self._make_due(me, 0)
