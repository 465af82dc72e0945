"""The central API over HTTP, as a station uses it. Every answer is bounded in size and time, and checked for its shape.

What an answer *means* (signatures, revisions, contradictions) is checked by who asked for it.
"""

import asyncio
import gzip
import json
import logging
import re
import ssl
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from station.errors import StationError
from station.ports import Json
from station.records import strict_json
from station.records.base64url import decoded, encoded
from station.records.strict_json import JsonRefused
from station.secret import Secret
from station.sync.answers import (
    PAGE_LIMIT,
    CertificateAnswered,
    Enrolled,
    EventResult,
    EventsAnswered,
    Page,
    PinAnswered,
    Provisioned,
    TimeAnswered,
)
from station.sync.request_way import RequestWay
from station.sync.server_trust import ServerTrust, certificate_fault
from station.sync.station_health import HEADER

__all__ = [
    "AnswerRefused",
    "CentralClient",
    "CentralRefused",
    "CentralUnreachable",
    "Enrolled",
    "EventResult",
    "Page",
    "Pieces",
    "Resnapshot",
]

ANSWER_LIMIT_BYTES = 8 * 1024 * 1024
"""Any answer but a snapshot, which is never held as a whole: 500 objects with the longest records are 4 MiB."""
NESTED_LIMIT = 20_000
"""Objects and lists in such an answer, forty for each of 500 objects. A million empty ones fit into its bytes, and
would take more memory than the station has."""
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0
"""Between two pieces of an answer."""
WHOLE_ANSWER_S = 30.0
WHOLE_SNAPSHOT_S = 1800.0
"""A large municipality's 3 MB take 20 minutes of a mobile network; a link that stands still is given up long before."""
KEEP_ALIVE_S = 90.0
UNSAID = ("Accept", "Connection", "User-Agent")
"""What httpx says in each request and central does not need to hear; an HTTP/1.1 connection is kept without a word."""
RETRY_AFTER_LIMIT_S = 3600.0
"""However long central asks to be left alone: after an hour a station tries again."""

_PIECE_BYTES = 64 * 1024
"""On the wire, and unpacked: a few kilobytes can become gigabytes."""
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")

A = TypeVar("A", bound=BaseModel)
Pieces: TypeAlias = AsyncGenerator[bytes]
"""A body, unpacked, as it comes."""

_log = logging.getLogger("station.central")


class CentralUnreachable(StationError):
    """No answer, or none that central would give: no network, a captive portal, a server error, garbage."""

    retry_after_s: float = 0.0
    """For how long the answer asked not to be asked again."""


class AnswerRefused(CentralUnreachable):
    """An answer that is refused whole: no JSON of the one form, or not of the shape that was asked for."""


class _KeptConnectionDead(CentralUnreachable):
    """No answer on a connection that was kept from an earlier call."""


class CentralRefused(StationError):
    """Central answered, and said no; ``code`` is its own word (``unauthorized``, ``bad_code``, ``too_early`` …)."""

    retry_after_s: float = 0.0
    """For how long the answer asked not to be asked again."""


class Resnapshot(StationError):
    """The cursor is no longer any good: take a snapshot."""


class _Line:
    """A connection that is kept, and whose turn it is: calls on it follow one another."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.http: httpx.AsyncClient | None = None
        self.left: httpx.AsyncClient | None = None
        """To the place before: who still waits for an answer from there may do so."""

    async def close(self) -> None:
        for http in (self.http, self.left):
            if http is not None:
                await http.aclose()


class CentralClient:
    """Central, over one connection that is kept, and another for the call that waits for news.

    Every call raises CentralUnreachable and CentralRefused.
    """

    def __init__(self, url: str, token: Secret[str] | None = None, *, trust: ServerTrust | None = None) -> None:
        """``trust``: in whose certificates; without it the system's authorities.

        Raises CentralUnreachable (``central_url_invalid``).
        """
        self._token = token
        self._url, self._trust = _checked(url), trust or ServerTrust()
        self._asking, self._waiting = _Line(), _Line()
        self._clock = self._trust.clock
        self._leaving: set[asyncio.Task[None]] = set()

    def judge_dates_by(self, clock: Callable[[], float]) -> None:
        """Go by this clock (Unix seconds), not the system's, in whether a server's certificate is over."""
        self._clock = self._trust.clock = clock

    def _made(self, *, for_time: bool = False) -> httpx.AsyncClient:
        # What we do not unpack ourselves, piece by piece, we do not want: a few kilobytes can become gigabytes.
        headers = {"Accept-Encoding": "gzip"}
        verify: ssl.SSLContext | bool = False  # Plain HTTP, within this machine.
        if urlsplit(self._url).scheme == "https":
            verify = self._trust.undated if for_time else self._trust.dated
        if self._token is not None and not for_time:
            headers["Authorization"] = f"Bearer {self._token.reveal()}"
        client = httpx.AsyncClient(
            base_url=self._url.rstrip("/") + "/api/v1",
            headers=headers,
            # Central sets none, and who does shall not fill our memory with them.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            verify=verify,
            # A proxy named in the environment of a login shell must not carry a station's token.
            trust_env=False,
            follow_redirects=False,
            # One, as calls on a line take turns: on a mobile network waiting is quicker than the 2.3 kB and the three
            # round trips of a second.
            limits=httpx.Limits(max_connections=1, keepalive_expiry=KEEP_ALIVE_S),
        )
        for name in UNSAID:
            del client.headers[name]
        return client

    async def move(self, url: str, *, trust: ServerTrust) -> None:
        """Ask there from now on, with the same token. Who still waits for the old place's answer may do so."""
        url = _checked(url)
        self._url, self._trust = url, trust
        trust.clock = self._clock
        for line in (self._asking, self._waiting):
            left, line.left, line.http = line.left, line.http, None
            if left is not None:
                await left.aclose()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._asking.close()
        await self._waiting.close()
        if self._leaving:
            await asyncio.wait(self._leaving)

    def _give_up(self, line: _Line, client: httpx.AsyncClient) -> None:
        """A call on it was cancelled, also by its time limit: its pool may for ever take the connection for busy.

        httpcore 1.0 shields its tidying up from anyio's cancellations only, not from asyncio's.
        """
        if line.http is client:
            line.http = None
        leaving = asyncio.create_task(client.aclose(), name="leaving")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._left_behind)

    def _left_behind(self, leaving: asyncio.Task[None]) -> None:
        self._leaving.discard(leaving)
        if not leaving.cancelled():
            # A connection that cannot be closed in good order is closed all the same.
            leaving.exception()

    async def enrol(self, code: Secret[str], public_key: bytes, proof: bytes) -> Enrolled:
        """Trade a one-time code for this station's credentials. ``proof``: `station.records.proofs.enrolment_proof`."""
        question = {"code": code.reveal(), "public_key": encoded(public_key), "proof": encoded(proof)}
        return await self._post(Enrolled, "/enrol", question)

    async def time(self, site: int, nonce: bytes) -> tuple[bytes, list[bytes]]:
        """A ``time/1`` record for ``nonce`` (16 bytes), and the ``central/1`` records, oldest first; none verified.

        On a connection of its own, without the token and whatever the dates of the server's certificate: a station
        that does not know the time cannot judge them.
        """
        question = {"site": site, "nonce": encoded(nonce)}
        body = await self._ask("POST", "/time", for_time=True, json=question)
        answer = _shaped(TimeAnswered, body)
        return _octets(answer.record), [_octets(link) for link in answer.central_keys]

    async def snapshot(self, nonce: bytes, take: Callable[[Pieces], Awaitable[None]]) -> None:
        """The whole mirror, with a head for ``nonce`` (16 bytes), handed to ``take`` as it comes.

        How much of it is taken is for ``take`` to say: whatever that raises ends the call.
        """
        params = {"nonce": encoded(nonce)}
        await self._ask("GET", "/mirror/snapshot", repeatable=True, take=take, params=params)

    async def changes(
        self, since: str, nonce: bytes, key: int | None = None, report: str = "", wait_s: int = 0
    ) -> Page:
        """What has changed since the cursor. Raises AnswerRefused and Resnapshot too.

        ``key``: the number of the key in the socket. ``report``: how the station is, see `station.sync.station_health`.
        ``wait_s``: so long central may hold the answer until something changes; other calls do not wait for this one,
        and it is never repeated at once: when central goes, it goes for every station that waits.
        """
        params = {"since": since, "nonce": encoded(nonce), "limit": str(PAGE_LIMIT)}
        if wait_s:
            params["wait"] = str(wait_s)
        if key is not None:
            params["key"] = str(key)
        headers = {HEADER: report} if report else {}
        try:
            body = await self._ask(
                "GET", "/mirror/changes", repeatable=not wait_s, wait_s=wait_s, params=params, headers=headers
            )
        except CentralRefused as error:
            # 400: not a cursor of central's, but of somebody who answered in its place; it would never become one.
            if error.fields.get("status") in {HTTPStatus.GONE, HTTPStatus.BAD_REQUEST}:
                raise Resnapshot("resnapshot") from None
            raise
        return _shaped(Page, body)

    async def pin(self) -> PinAnswered:
        """What turns PINs into tags. Secret."""
        body = await self._ask("GET", "/pin", repeatable=True)
        return _shaped(PinAnswered, body)

    async def send(self, events: Sequence[Mapping[str, Json]]) -> list[EventResult]:
        """Hand over 1..100 events; the result of each. Central knows them by their ids, and takes each once."""
        data = gzip.compress(json.dumps({"events": list(events)}, separators=(",", ":")).encode(), compresslevel=6)
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        body = await self._ask("POST", "/events", repeatable=True, content=data, headers=headers)
        return _shaped(EventsAnswered, body).results

    async def certificate(self) -> bytes:
        """A renewed ``station/1``, not yet verified."""
        answer = await self._post(CertificateAnswered, "/certificate", {})
        return _octets(answer.certificate)

    async def provision(self, code: Secret[str]) -> dict[str, Any]:
        """The mirror object of the key that the one-time code stands for; the same again for the same code."""
        body = await self._ask("POST", "/provision", repeatable=True, json={"code": code.reveal()})
        return _shaped(Provisioned, body).key

    async def _post(self, kind: type[A], path: str, json_body: Json) -> A:
        return _shaped(kind, await self._ask("POST", path, json=json_body))

    async def _ask(self, method: str, path: str, *, repeatable: bool = False, **request: Any) -> bytes:
        """The body of the answer.

        ``repeatable``: central may be asked twice, as the second call does nothing more. Then a kept connection that
        turns out dead is no word about central: a router forgets one that is idle, and may tell neither end.
        """
        try:
            return await self._ask_once(method, path, **request)
        except _KeptConnectionDead as error:
            if not repeatable:
                raise
            _log.info("central.connection_renewed %s", error)
        return await self._ask_once(method, path, **request)

    async def _ask_once(
        self,
        method: str,
        path: str,
        *,
        take: Callable[[Pieces], Awaitable[None]] | None = None,
        for_time: bool = False,
        wait_s: int = 0,
        **request: Any,
    ) -> bytes:
        """The body of the answer; of a good one nothing where ``take`` is given it."""
        within_s = wait_s + WHOLE_ANSWER_S if take is None else WHOLE_SNAPSHOT_S
        request["timeout"] = httpx.Timeout(READ_TIMEOUT_S + wait_s, connect=CONNECT_TIMEOUT_S)
        way, body = RequestWay(), b""
        try:
            async with (
                asyncio.timeout(within_s),
                self._made(for_time=True) if for_time else self._kept(wait_s) as client,
                client.stream(method, path, extensions={"trace": way.trace}, **request) as response,
            ):
                way.answered = True
                good = response.status_code in {HTTPStatus.OK, HTTPStatus.CREATED}
                if good and take is not None:
                    async with aclosing(_unpacked(response)) as pieces:
                        await take(pieces)
                else:
                    body = await _body(response, ANSWER_LIMIT_BYTES)
        # httpx.InvalidURL and StreamError are not HTTPError; an answer can be wrong in all these ways.
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError, OSError, ValueError) as error:
            code, cause = _fault_of(error)
            dead = isinstance(error, httpx.TransportError) and way.was_kept and not way.answered
        else:
            if good:
                return body
            raise _refusal(response, body, path)
        # Outside the block: httpx's errors hold the request, and that the token.
        raise (_KeptConnectionDead if dead else CentralUnreachable)(code, path=path, cause=cause)

    @asynccontextmanager
    async def _kept(self, wait_s: int) -> AsyncIterator[httpx.AsyncClient]:
        """The line of calls that wait, or of all others, to the present place."""
        line = self._waiting if wait_s else self._asking
        async with line.turn:
            client = line.http = line.http or self._made()
            try:
                yield client
            except asyncio.CancelledError:
                self._give_up(line, client)
                raise


def _fault_of(error: Exception) -> tuple[str, str]:
    """The code and the cause of a call that has had no answer."""
    if isinstance(error, _Unwanted):
        return "central_unreachable", str(error.args[0])
    refused = certificate_fault(error)
    if refused is not None:
        return "central_certificate_refused", refused
    return "central_unreachable", type(error).__name__


def _checked(url: str) -> str:
    """``url``, if it is one. Raises CentralUnreachable (``central_url_invalid``)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise CentralUnreachable("central_url_invalid") from None
    if not parts.hostname or port == 0 or not url.isprintable():
        raise CentralUnreachable("central_url_invalid")
    return url


class _Unwanted(ValueError):
    """An answer that is not read to its end; the argument says why."""


async def _body(response: httpx.Response, limit_bytes: int) -> bytes:
    """The whole body. Raises _Unwanted as soon as it is too long."""
    body = bytearray()
    async for piece in _unpacked(response):
        body += piece
        if len(body) > limit_bytes:
            raise _Unwanted("too_long")
    return bytes(body)


async def _unpacked(response: httpx.Response) -> Pieces:
    """The body in pieces of `_PIECE_BYTES` at most, however much it was packed. Raises _Unwanted."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"gzip", "identity"}:
        raise _Unwanted("encoding")
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS) if encoding == "gzip" else None
    empty = True
    async for raw in response.aiter_raw(_PIECE_BYTES):
        empty = False
        if unpacker is None:
            yield raw
            continue
        rest, full = raw, True
        while rest or full:
            try:
                piece = unpacker.decompress(rest, _PIECE_BYTES)
            except zlib.error:
                raise _Unwanted("not_gzip") from None
            if unpacker.unused_data:
                raise _Unwanted("not_gzip")
            rest, full = unpacker.unconsumed_tail, len(piece) == _PIECE_BYTES
            if piece:
                yield piece
    if unpacker is not None and not empty and not unpacker.eof:
        raise _Unwanted("not_gzip")


def _shaped(kind: type[A], body: bytes) -> A:
    if body.count(b"{") + body.count(b"[") > NESTED_LIMIT:
        raise AnswerRefused("central_answer_malformed", answer=kind.__name__)
    try:
        return kind.model_validate(strict_json.read(body))
    except (ValidationError, RecursionError, JsonRefused):
        pass
    # Outside the block: the validation error shows its input, which may be a pepper, and would hang on as the context.
    raise AnswerRefused("central_answer_malformed", answer=kind.__name__)


def _refusal(response: httpx.Response, body: bytes, path: str) -> CentralUnreachable | CentralRefused:
    """What an error answer means. Only central's own error shape counts as its word; all else is some other machine."""
    status = response.status_code
    try:
        code = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        code = None
    error: CentralUnreachable | CentralRefused
    if not isinstance(code, str) or not _CODE.fullmatch(code) or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        error = CentralUnreachable("central_unreachable", path=path, status=status)
    else:
        error = CentralRefused(code, path=path, status=status)
    error.retry_after_s = _retry_after_s(response)
    return error


def _retry_after_s(response: httpx.Response) -> float:
    """``Retry-After`` in seconds; its other form, a date, is passed over."""
    if response.status_code not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return 0.0
    text = response.headers.get("Retry-After", "")
    return min(float(text), RETRY_AFTER_LIMIT_S) if re.fullmatch("[0-9]{1,9}", text) else 0.0


def _octets(text: str) -> bytes:
    try:
        return decoded(text)
    except ValueError:
        raise AnswerRefused("central_answer_malformed") from None
