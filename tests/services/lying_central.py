"""A central server in the test's own loop: honest, signing with real keys, until a test has it lie at one address."""

import asyncio
import gzip
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from station.records.base64url import decoded, encoded
from station.records.claims import (
    Blocklist,
    Category,
    CentralKey,
    Claims,
    Head,
    KeyKind,
    KeyRecord,
    LogPosition,
    Permit,
    Role,
    StationCertificate,
    TimeAnswer,
    Window,
)
from station.records.envelope import sign
from station.records.keys import SigningKey
from station.records.mirror_digest import MirrorSum, object_hash

NOW_S = 1_800_000_000
"""When the tests begin, in Unix seconds: 2027-01-15."""
DAY_S = 86400
STATION, UNIT = 7, 3
Json = Any


@dataclass
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        plain = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return json.loads(plain)


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Lie = Reply | Callable[[Asked], Reply] | Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


def said(content: Json, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(content).encode(), {"Content-Type": "application/json"} | named)


def refusal(status: int, code: str, **headers: str) -> Reply:
    return said({"error": code, "detail": "…"}, status, **headers)


class LyingCentral:
    def __init__(self) -> None:
        self.signing = SigningKey.generate()
        self.station = STATION
        """Who asks, and in which role."""
        self.role = Role.SYNC_STATION
        self.ahead_s = 0
        self.clock: Callable[[], int] = lambda: NOW_S
        self.epoch = "epoch-1"
        self.revision = 0
        self.objects: dict[tuple[str, int], dict[str, Json]] = {}
        self.removed: dict[tuple[str, int], int] = {}
        self.events: dict[str, dict[str, Json]] = {}
        self.batches: list[int] = []
        self.asked: list[Asked] = []
        self.lies: dict[str, Lie] = {}
        self.certificate: bytes = b""
        self.log_seen: dict[int, tuple[int, int]] = {}
        self.peppers: list[tuple[int, bytes]] = [(1, b"p" * 32)]
        self.down: list[int] = []
        self.holds = True
        """It can hold a call that waits."""
        self._news = asyncio.Event()
        self.url = ""
        self._server: asyncio.Server | None = None
        self.connections: set[asyncio.Task[None]] = set()

    # --- serving ---

    async def start(self, context: ssl.SSLContext | None = None, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for task in self.connections:
            task.cancel()
        await asyncio.gather(*self.connections, return_exceptions=True)

    def calls(self, path: str) -> int:
        return sum(each.path == path for each in self.asked)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections.add(task)
        try:
            while asked := await _request(reader):
                self.asked.append(asked)
                lie = self.lies.get(asked.path)
                if lie is None:
                    await self._hold(asked)
                reply = lie if isinstance(lie, Reply) else None
                if reply is None and asyncio.iscoroutinefunction(lie):
                    await lie(asked, writer)
                    return
                if reply is None:
                    reply = lie(asked) if callable(lie) else self._honest(asked)  # type: ignore[call-arg, assignment]
                assert isinstance(reply, Reply)
                writer.write(octets(reply))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.connections.discard(task)
            writer.transport.abort()

    async def _hold(self, asked: Asked) -> None:
        """Until there is something to say."""
        wait_s = int(asked.query.get("wait", "0"))
        if wait_s and self.holds:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    while asked.query["since"] == self.cursor:
                        self._news.clear()
                        await self._news.wait()

    def _honest(self, asked: Asked) -> Reply:
        match asked.path:
            case "/time":
                return self.answer_time(decoded(asked.json["nonce"]))
            case "/mirror/snapshot":
                return self.snapshot(asked)
            case "/mirror/changes":
                return self.changes(asked)
            case "/pin":
                return said(self.pin())
            case "/events":
                return said({"results": [self.take(event) for event in asked.json["events"]], "cursor": self.cursor})
            case "/certificate":
                return said({"certificate": encoded(self.certificate), "cursor": self.cursor})
            case _:
                return refusal(404, "not_found")

    def answer_time(self, nonce: bytes) -> Reply:
        links = [each["record"] for (type_, _), each in sorted(self.objects.items()) if type_ == "central_key"]
        return said({"record": encoded(self.time(nonce)), "central_keys": links})

    def take(self, event: dict[str, Json]) -> dict[str, Json]:
        known = event["id"] in self.events
        self.events[event["id"]] = event
        return {"id": event["id"], "status": "duplicate" if known else "accepted"}

    # --- the mirror ---

    @property
    def cursor(self) -> str:
        return f"{self.epoch}.{self.revision}"

    def put(self, type_: str, id_: int, **fields: Json) -> dict[str, Json]:
        self.revision += 1
        self.objects[type_, id_] = {"type": type_, "id": id_, "revision": self.revision, **fields}
        self.removed.pop((type_, id_), None)
        self._news.set()
        return self.objects[type_, id_]

    def remove(self, type_: str, id_: int) -> None:
        self.revision += 1
        del self.objects[type_, id_]
        self.removed[type_, id_] = self.revision

    def head(self, asked: Asked, objects: Sequence[Mapping[str, Json]] | None = None, **changed: Json) -> str:
        """What confirms the mirror of the asker, if it holds ``objects``; without them: all that there are."""
        held = self.in_scope() if objects is None else objects
        total = MirrorSum().changed(map(object_hash, held))
        key = int(asked.query["key"]) if "key" in asked.query else None
        seen = self.log_seen.get(key) if key is not None else None
        claims: dict[str, Json] = {
            "issued": self.clock() + self.ahead_s,
            "station": self.station,
            "version": self.revision,
            "nonce": decoded(asked.query["nonce"]),
            "count": total.count,
            "mirror_digest": total.digest(),
            "key": key if seen is not None else None,
            "log_seen": LogPosition(*seen) if seen is not None else None,
        }
        signer = changed.pop("signer", self.signing)
        return encoded(sign(Head(**(claims | changed)), signer))

    def in_scope(self) -> list[dict[str, Json]]:
        """All that there is, or the little that an activation box gets."""
        boxes = {("station", self.station), ("blocklist", 0), ("site", 0)}
        return [
            each
            for name, each in self.objects.items()
            if self.role is not Role.ACTIVATION_BOX or name in boxes or name[0] == "central_key"
        ]

    def snapshot(self, asked: Asked, **changed: Json) -> Reply:
        objects = sorted(self.in_scope(), key=lambda each: each["type"] != "central_key")
        content = {"epoch": self.epoch, "cursor": self.cursor, "head": self.head(asked), "objects": objects}
        return said(content | changed)

    def changes(self, asked: Asked, **changed: Json) -> Reply:
        epoch, _, number = asked.query["since"].rpartition(".")
        if epoch != self.epoch or int(number) > self.revision:
            return refusal(410, "resnapshot")
        content = {
            "upserts": [each for each in self.in_scope() if each["revision"] > int(number)],
            "removes": [{"type": t, "id": i} for (t, i), revision in self.removed.items() if revision > int(number)],
            "cursor": self.cursor,
            "more": False,
            "down": self.down,
        }
        if "head" not in changed:
            content["head"] = self.head(asked)
        return said(content | changed)

    def pin(self) -> dict[str, Json]:
        peppers = [{"version": version, "pepper": encoded(pepper)} for version, pepper in self.peppers]
        argon2 = {"time": 1, "memory_kib": 8, "lanes": 1}
        return {"site_salt": encoded(b"a site's own salt"), "argon2": argon2, "digits": 6, "peppers": peppers}

    # --- records ---

    def sign(self, claims: Claims, signer: SigningKey | None = None) -> str:
        return encoded(sign(claims, signer or self.signing))

    def time(self, nonce: bytes) -> bytes:
        return sign(TimeAnswer(issued=self.clock() + self.ahead_s, nonce=nonce), self.signing)

    def certify(self, public_key: bytes, issued: int, **changed: Json) -> bytes:
        claims: dict[str, Json] = {"unit": UNIT, "station": STATION, "role": Role.SYNC_STATION}
        claims |= {"issued": issued, "expires": issued + 60 * DAY_S, "public_key": public_key}
        return sign(StationCertificate(**(claims | changed)), self.signing)

    def key(
        self,
        number: int,
        holder: int | None = None,
        *,
        issued: int = NOW_S - DAY_S,
        signer: SigningKey | None = None,
        status: str = "active",
        **fields: Json,
    ) -> dict[str, Json]:
        kind = KeyKind.SUBSTITUTE if holder is None else KeyKind.PERSONAL
        record = self.sign(KeyRecord(issued=issued, key=number, kind=kind, unit=UNIT, holder=holder), signer)
        told = {"kind": int(kind), "unit": UNIT, "status": status, "record": record}
        return self.put("key", number, **(told | ({} if holder is None else {"holder": holder}) | fields))

    def holder(self, number: int, **fields: Json) -> dict[str, Json]:
        told = {"name": f"Eva {number}", "category": 0, "unit": UNIT, "status": "active"}
        return self.put("holder", number, **(told | fields))

    def permit(
        self,
        number: int,
        holder: int,
        revision: int,
        *,
        issued: int = NOW_S - DAY_S,
        signer: SigningKey | None = None,
        pin_tag: bytes = b"t" * 16,
        windows: tuple[Window, ...] = (),
        category: Category = Category.PERMANENT,
        **fields: Json,
    ) -> dict[str, Json]:
        claims = Permit(
            expires=issued + 21 * DAY_S,
            not_before=issued - 60,
            issued=issued,
            holder=holder,
            revision=revision,
            areas=(2,),
            locks=(),
            windows=windows,
            pin_tag=pin_tag,
            category=category,
        )
        return self.put("permit", number, **({"holder": holder, "record": self.sign(claims, signer)} | fields))

    def blocklist(
        self, version: int, *keys: int, issued: int = NOW_S - DAY_S, signer: SigningKey | None = None, **fields: Json
    ) -> dict[str, Json]:
        claims = Blocklist(
            expires=issued + 30 * DAY_S, issued=issued, version=version, blocked_keys=keys, blocked_stations=()
        )
        return self.put("blocklist", 0, **({"version": version, "record": self.sign(claims, signer)} | fields))

    def next_key(
        self, number: int, next_: SigningKey, signer: SigningKey | None = None, status: str = "next"
    ) -> dict[str, Json]:
        claims = CentralKey(issued=self.clock(), public_key=next_.public, version=number)
        return self.put("central_key", number, status=status, record=self.sign(claims, signer))

    def key_status(self, number: int, status: str) -> dict[str, Json]:
        return self.again("central_key", number, status=status)

    def again(self, type_: str, id_: int, **fields: Json) -> dict[str, Json]:
        """As before but for ``fields``."""
        before = {k: v for k, v in self.objects[type_, id_].items() if k not in {"type", "id", "revision"}}
        return self.put(type_, id_, **(before | fields))

    def small_site(self) -> None:
        told = {"name": "Exempelby", "timezone": "Europe/Stockholm", "pin_digits": 6, "pin_versions": [1]}
        self.put("site", 0, epoch=self.epoch, **told)
        self.put("unit", UNIT, name="Norr", closed=False)
        self.put("area", 2, name="Backen")
        self.holder(11)
        self.permit(1, 11, 100)
        self.key(51, 11)
        self.blocklist(100)


async def _request(reader: asyncio.StreamReader) -> Asked | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return Asked(method, parts.path.removeprefix("/api/v1"), query, headers, body)


def octets(reply: Reply) -> bytes:
    headers = {"Content-Length": str(len(reply.body))} | dict(reply.headers)
    lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + reply.body
