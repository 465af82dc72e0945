"""The calls of a morning: stations ask whether there is news, visits ask with their key and then tell what happened.

Calls begin when their time has come, whether those before are answered or not, and their time counts from then: a slow
server is not spared by those who wait for it.
"""

import asyncio
import gzip
import json
import os
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import cycle

import httpx

from station.records.base64url import encoded
from tests.central.nginx import NAME
from tools.load.http1 import Address, Connection
from tools.load.sizes import COORDINATOR, EVENTS_A_VISIT, PASSWORD, Caller, Size
from tools.load.visits import Visits

UNDER_WAY_LIMIT = 4000
"""Calls that are not answered: more only says that it is too much."""
CONNECTING_AT_ONCE = 50
PAGE_EVERY_S = 3.0
PAGES = ("today", "people", "pools")
HEALTH = "outbox=0, clock=0, mirror=30, config=3fa2b1c4d5e6"
OK = 200
FOUND = 302


@dataclass
class Answers:
    """How long answers of one kind took, in seconds, and what was no good answer."""

    took_s: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def quantile_ms(self, share: float) -> float:
        """The time within which such a share was answered; 0 without any."""
        ordered = sorted(self.took_s)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


@dataclass
class Heard:
    """What came of a run."""

    polls: Answers = field(default_factory=Answers)
    events: Answers = field(default_factory=Answers)
    pages: dict[str, Answers] = field(default_factory=dict)
    news: int = 0
    """Objects that polls were told of."""
    accepted: int = 0
    """Events."""
    seconds: float = 0.0
    behind_ms: float = 0.0
    """How late the generator itself began a call, at worst: more than a few says that these figures are its own."""


class Traffic:
    """All stations of a size, and their connections."""

    def __init__(self, size: Size, address: Address, cursors: Mapping[int, str], connections: int) -> None:
        """``connections``: the most that there are; stations share them where they are more."""
        self.size = size
        self._callers = list(size.callers())
        self._links = [Connection(address) for _ in range(min(connections, len(self._callers)))]
        self._cursors = {caller: cursors[caller.site] for caller in self._callers}
        self._link_of = dict(zip(self._callers, cycle(self._links), strict=False))
        self._visits = Visits(size, seed=1)
        self._under_way: set[asyncio.Task[None]] = set()
        self.heard = Heard()

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._links)

    async def connect(self) -> None:
        """Open every connection before anything is measured."""
        gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

        async def open_one(link: Connection) -> None:
            async with gate:
                await link.open()

        await asyncio.gather(*map(open_one, self._links))

    async def close(self) -> None:
        """Let go of all connections."""
        await asyncio.gather(*(link.close() for link in self._links))

    async def run(self, seconds: float, polls_a_second: float, events_a_second: float) -> Heard:
        """So many polls and events each second, for so long. Returns what came of them."""
        self.heard = heard = Heard()
        visits_a_second = events_a_second / EVENTS_A_VISIT
        quiet_polls = max(0.0, polls_a_second - visits_a_second)
        askers, visited = cycle(self._callers), cycle(reversed(self._callers))
        began = time.monotonic()
        await asyncio.gather(
            self._keep_up(seconds, quiet_polls, lambda at: self._poll(next(askers), at)),
            self._keep_up(seconds, visits_a_second, lambda at: self._visit(next(visited), at)),
        )
        if self._under_way:
            await asyncio.wait(self._under_way)
        heard.seconds = time.monotonic() - began
        return heard

    async def _keep_up(self, seconds: float, a_second: float, begin: Callable[[float], Awaitable[None]]) -> None:
        began = time.monotonic()
        for number in range(int(seconds * a_second)):
            due = began + number / a_second
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.heard.behind_ms = max(self.heard.behind_ms, 1000 * (time.monotonic() - due))
            if len(self._under_way) >= UNDER_WAY_LIMIT:
                self.heard.polls.errors["not even asked"] += 1
                continue
            task = asyncio.ensure_future(begin(due))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _visit(self, caller: Caller, due: float) -> None:
        key = self._visits.key()
        await self._poll(caller, due, key)
        batch = json.dumps({"events": self._visits.events(caller, key)}, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        # The next moment of its own, not that of the poll: it is another call.
        began = time.monotonic()
        answer = await self._ask(self.heard.events, began, caller, "POST", "/events", headers, gzip.compress(batch, 6))
        if answer is not None:
            states = Counter(result["status"] for result in json.loads(answer)["results"])
            self.heard.accepted += states.pop("accepted", 0)
            self.heard.events.errors.update(states)

    async def _poll(self, caller: Caller, due: float, key: int | None = None) -> None:
        asked = f"/mirror/changes?since={self._cursors[caller]}&nonce={encoded(os.urandom(16))}&limit=500"
        asked += "" if key is None else f"&key={key}"
        answer = await self._ask(self.heard.polls, due, caller, "GET", asked, {"Station-Health": HEALTH})
        if answer is not None:
            page = json.loads(answer)
            self._cursors[caller] = page["cursor"]
            self.heard.news += len(page["upserts"])

    async def _ask(
        self,
        into: Answers,
        due: float,
        caller: Caller,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes = b"",
    ) -> bytes | None:
        its = {"Authorization": f"Bearer {caller.token}", **headers}
        try:
            status, answer = await self._link_of[caller].ask(method, f"/api/v1{path}", its, body)
        except (OSError, EOFError, ValueError) as error:
            into.errors[type(error).__name__] += 1
            return None
        if status != OK:
            into.errors[str(status)] += 1
            return None
        into.took_s.append(time.monotonic() - due)
        return answer

    async def office(self, seconds: float, url: str, *, tls: ssl.SSLContext | None = None) -> None:
        """A site administrator who turns pages of site 1 meanwhile."""
        async with browser_at(url, tls) as browser:
            await log_in(browser)
            until = time.monotonic() + seconds
            for page in cycle(PAGES):
                left_s = until - time.monotonic()
                if left_s <= 0:
                    return
                into = self.heard.pages.setdefault(page, Answers())
                began = time.monotonic()
                try:
                    answer = await browser.get(f"/office/1/{page}/")
                except httpx.HTTPError as error:
                    into.errors[type(error).__name__] += 1
                else:
                    if answer.status_code == OK:
                        into.took_s.append(time.monotonic() - began)
                    else:
                        into.errors[str(answer.status_code)] += 1
                await asyncio.sleep(max(0.0, began + PAGE_EVERY_S - time.monotonic()))


def browser_at(url: str, tls: ssl.SSLContext | None) -> httpx.AsyncClient:
    """A browser; with ``tls`` one that knows the proxy by the name in its certificate."""
    if tls is None:
        return httpx.AsyncClient(base_url=url, timeout=60, trust_env=False)

    async def name(request: httpx.Request) -> None:
        request.extensions["sni_hostname"] = NAME

    hooks = {"request": [name]}
    headers = {"Host": NAME}
    return httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, verify=tls, headers=headers, event_hooks=hooks)


async def log_in(browser: httpx.AsyncClient) -> None:
    """Log in to the office. Raises RuntimeError."""
    await browser.get("/office/login/")
    token = browser.cookies["csrftoken"]
    form = {"username": f"{COORDINATOR}-1", "password": PASSWORD, "csrfmiddlewaretoken": token}
    host = browser.headers.get("Host", browser.base_url.netloc.decode("ascii"))
    origin = f"{browser.base_url.scheme}://{host}"
    headers = {"Origin": origin, "Referer": f"{origin}/office/login/"}
    answer = await browser.post("/office/login/", data=form, headers=headers)
    if answer.status_code != FOUND:
        raise RuntimeError(f"no log-in: {answer.status_code}")
