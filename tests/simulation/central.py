"""Central as a station meets it: what it answers is signed with a real key; whether and when it answers, is drawn.

The honest part is that of ``tests.services.lying_central``; HTTP ends in `httpx.MockTransport`, so everything that a
station does with an answer is real. What it takes in of events, it takes in as central does: once each, and at once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import sha256
from random import Random
from typing import Any

import httpx

from station.records.base64url import encoded
from station.records.claims import Blocklist, Category, KeyKind, KeyRecord, Permit, Role, StationCertificate, Window
from station.records.envelope import sign
from station.records.keys import SigningKey
from station.records.pins import pin_tag
from station.secret import Secret
from station.sync.client import CentralClient
from station.sync.identity import PinSecrets
from tests.services.lying_central import DAY_S, UNIT, Asked, LyingCentral, Reply, refusal, said

PIN_SECRETS = PinSecrets(b"a site's own salt", ((1, Secret(b"p" * 32)),), time=1, memory_kib=8, lanes=1, digits=6)
AREA = 2
CERTIFICATE_S = 60 * DAY_S


class Network(Enum):
    """What lies between the stations and central."""

    UP = "up"
    SLOW = "slow"
    """Some answers take seconds, some come after the station has given up."""
    FLAKY = "flaky"
    """Requests and answers are lost, some arrive twice, some meet an overloaded server."""
    DOWN = "down"


@dataclass(frozen=True)
class Worker:
    """Somebody with a PIN."""

    holder: int
    category: Category


class SimulatedCentral(LyingCentral):
    """The site's central server, told of virtual time by ``now``."""

    def __init__(self, random: Random, now: Callable[[], float]) -> None:
        super().__init__()
        self.signing = SigningKey(sha256(b"central").digest())
        self.clock = lambda: int(now()) + self.clock_wrong_s
        self.clock_wrong_s = 0
        self.network = Network.UP
        self._random = random
        self.enrolled: dict[int, tuple[bytes, Role]] = {}
        """Public key and role by station."""
        self.numbered: dict[tuple[str, int], str] = {}
        """Which event has come under which number of which database."""
        self.contradictions: list[str] = []
        self.told_station: list[str] = []
        self._permits: dict[int, Permit] = {}
        self._blocklist = 0
        self.blocked_keys: set[int] = set()

    # --- what it knows

    def open_site(self) -> None:
        """The site without people and keys."""
        self.put("site", 0, name="Exempelby", timezone="Europe/Stockholm", pin_digits=6, pin_versions=[1])
        self.put("unit", UNIT, name="Norr", closed=False)
        self.put("area", AREA, name="Backen")
        self.sign_blocklist()

    def worker(self, worker: Worker, pin: str, *, status: str = "active") -> None:
        """A holder; their permit, with this PIN, is signed anew."""
        self.put(
            "holder",
            worker.holder,
            name=f"Person {worker.holder}",
            category=int(worker.category),
            unit=UNIT,
            status=status,
        )
        self.sign_permit(worker, pin_tag=_tag(pin))

    def sign_permit(self, worker: Worker, **changes: Any) -> None:
        """A new permit, as the one before but for ``changes``."""
        now_s, before = self.clock(), self._permits.get(worker.holder)
        claims = before or Permit(0, 0, 0, worker.holder, 0, (AREA,), (), (), b"", worker.category)
        claims = replace(
            claims,
            issued=now_s,
            not_before=now_s - 60,
            expires=now_s + 21 * DAY_S,
            revision=max(claims.revision + 1, now_s),
            **changes,
        )
        self._permits[worker.holder] = claims
        unit = {"unit": UNIT} if worker.category is Category.HOURLY else {}
        self.put("permit", worker.holder, holder=worker.holder, record=self.sign(claims), **unit)

    def windows(self, worker: Worker, windows: tuple[Window, ...]) -> None:
        """When a holder may work."""
        self.sign_permit(worker, windows=windows)

    def hand_out(self, number: int, kind: KeyKind, holder: int | None) -> bytes:
        """A key's record, and the key in the mirror."""
        record = self.key_record(number, kind, holder)
        fields = {} if holder is None else {"holder": holder}
        self.put("key", number, kind=int(kind), unit=UNIT, status="active", record=encoded(record), **fields)
        return record

    def key_record(self, number: int, kind: KeyKind, holder: int | None) -> bytes:
        """What a key says of itself, signed now."""
        return sign(KeyRecord(self.clock(), number, kind, UNIT, holder), self.signing)

    def change_key(self, number: int, **fields: Any) -> None:
        """As before but for ``fields``."""
        self.again("key", number, **fields)

    def block(self, number: int, *, blocked: bool) -> None:
        """A key is reported lost, or found again."""
        (self.blocked_keys.add if blocked else self.blocked_keys.discard)(number)
        self.change_key(number, status="blocked" if blocked else "active")
        self.sign_blocklist()

    def sign_blocklist(self) -> None:
        """A new version of the list."""
        now_s = self.clock()
        self._blocklist = max(self._blocklist + 1, now_s)
        self._blocklist_issued_s = now_s
        keys = tuple(sorted(self.blocked_keys))
        claims = Blocklist(now_s + 30 * DAY_S, now_s, self._blocklist, keys, ())
        self.put("blocklist", 0, version=self._blocklist, record=self.sign(claims))

    def renew_what_is_due(self) -> None:
        """Central's night work: permits at half of their life, the blocklist too."""
        for holder, permit in list(self._permits.items()):
            if permit.issued + 10 * DAY_S < self.clock():
                self.sign_permit(Worker(holder, permit.category))
        if self._blocklist_issued_s + 15 * DAY_S < self.clock():
            self.sign_blocklist()

    def enrol(self, station: int, public_key: bytes, role: Role) -> bytes:
        """A station's certificate."""
        issued = self.clock()
        claims = StationCertificate(issued + CERTIFICATE_S, issued, UNIT, station, public_key, role)
        self.enrolled[station] = public_key, role
        return sign(claims, self.signing)

    # --- what it is asked

    def link(self, station: int) -> CentralClient:
        """A real link of one station, that ends here."""
        return _Link(self, station)

    async def answer(self, station: int, request: httpx.Request) -> httpx.Response:
        """What the network makes of a request and of its answer."""
        drawn, network = self._random.random(), self.network
        await asyncio.sleep(self._random.uniform(0.01, 0.08))
        if network is Network.DOWN:
            # A refused connection comes at once, a silent network takes its time.
            await asyncio.sleep(0.0 if drawn < 0.5 else 5.0)
            raise httpx.ConnectError("down")
        if network is Network.SLOW:
            await asyncio.sleep(self._random.choice([0.3, 0.9, 3.0, 40.0]))
        if network is Network.FLAKY and drawn < 0.2:
            raise httpx.ReadError("request lost")
        if network is Network.FLAKY and drawn < 0.3:
            busy = refusal(503, "busy", **({"Retry_After": "20"} if drawn < 0.25 else {}))
            return _response(busy)
        reply = self._honest_to(station, await _asked(request))
        if network is Network.FLAKY and drawn < 0.4:
            reply = self._honest_to(station, await _asked(request))
        if network is Network.FLAKY and drawn < 0.6:
            raise httpx.ReadError("answer lost")
        return _response(reply)

    def _honest_to(self, station: int, asked: Asked) -> Reply:
        if asked.path == "/certificate":
            return said({"certificate": encoded(self.enrol(station, *self.enrolled[station]))})
        self.station = station
        return self._honest(asked)

    def take(self, event: dict[str, Any]) -> dict[str, Any]:
        id_, number = event["id"], (event["instance"], event["seq"])
        if self.numbered.setdefault(number, id_) != id_:
            self.contradictions.append(f"{event['type']} and another event are both number {number[1]}")
        known = self.events.get(id_)
        if known is not None:
            # A lock's event may come from two stations; any other only from one, the same each time.
            if not event["type"].startswith(("lock_", "log_")) and known != event:
                self.contradictions.append(f"{event['type']} has come again as another")
            return {"id": id_, "status": "duplicate"}
        self.events[id_] = event
        self._consequences(event)
        return {"id": id_, "status": "accepted"}

    def _consequences(self, event: dict[str, Any]) -> None:
        key = self.objects.get(("key", event.get("key", 0)))
        if key is None:
            return
        if event["type"] == "key_locked_out":
            unlocked_at, now_s = key.get("unlocked_at") or 0, self.clock()
            at = max(now_s, unlocked_at + 1) if event["clock"] == "unknown" else min(event["at"], now_s)
            if at > max(key.get("locked_at") or 0, unlocked_at):
                self.change_key(event["key"], locked_at=at)
        elif event["type"] in {"lock_opened", "lock_refused"}:
            mark = (event["data"]["generation"], event["data"]["seq"])
            self.log_seen[event["key"]] = max(mark, self.log_seen.get(event["key"], (0, 0)))


class _Link(CentralClient):
    def __init__(self, central: SimulatedCentral, station: int) -> None:
        self._central, self._station = central, station
        super().__init__("https://central.invalid", Secret("a-token-of-a-station"))

    def _made(self, *, for_time: bool = False) -> httpx.AsyncClient:
        async def handle(request: httpx.Request) -> httpx.Response:
            return await self._central.answer(self._station, request)

        transport = httpx.MockTransport(handle)
        return httpx.AsyncClient(base_url=f"{self._url}/api/v1", transport=transport, trust_env=False)


def _tag(pin: str) -> bytes:
    s = PIN_SECRETS
    return pin_tag(
        pin.encode(), s.site_salt, s.peppers[0][1].reveal(), time=s.time, memory_kib=s.memory_kib, lanes=s.lanes
    )


async def _asked(request: httpx.Request) -> Asked:
    path = request.url.path.removeprefix("/api/v1")
    return Asked(request.method, path, dict(request.url.params), request.headers, await request.aread())


def _response(reply: Reply) -> httpx.Response:
    return httpx.Response(reply.status, headers=dict(reply.headers), stream=_Body(reply.body))


class _Body(httpx.AsyncByteStream):
    """An answer that is still to be read, as from a network."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content
