"""The central API over HTTP, as a station uses it. Every answer is bounded in size and time, and checked for its shape.

What an answer *means* (signatures, revisions, contradictions) is checked by who asked for it.
"""

import asyncio
import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from station.errors import StationError
from station.ports import Json
from station.secret import Secret
from station.services.base64url import decoded, encoded

ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
"""A snapshot of 300,000 objects; more is a fault or an attack on this station's memory."""
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0
WHOLE_ANSWER_S = 120.0
KEEP_ALIVE_S = 90.0
PAGE_LIMIT = 500


class CentralUnreachable(StationError):
    """No answer, or none that central would give: no network, a captive portal, a server error, garbage."""


class CentralRefused(StationError):
    """Central answered, and said no; ``code`` is its own word (``unauthorized``, ``bad_code``, ``too_early`` …)."""


class Resnapshot(StationError):
    """The cursor is no longer any good: take a snapshot."""


class _Answer(BaseModel):
    # Central may say more than we know; strict keeps "1" from passing for 1.
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class TimeAnswered(_Answer):
    """``POST /time``: ``record`` is a ``time/1``."""

    record: str


class Removed(_Answer):
    """An object that is no more."""

    type: str
    id: int


class Page(_Answer):
    """``GET /mirror/changes``: a page of changes and the cursor behind it."""

    upserts: list[dict[str, Any]]
    removes: list[Removed]
    cursor: str
    more: bool
    count: int
    digest: str


class Snapshot(_Answer):
    """``GET /mirror/snapshot``: everything in this station's scope."""

    epoch: str
    cursor: str
    count: int
    digest: str
    objects: list[dict[str, Any]]


class EventResult(_Answer):
    """What became of one event."""

    id: str
    status: Literal["accepted", "duplicate", "rejected"]
    reason: str | None = None


class EventsAnswered(_Answer):
    """``POST /events``."""

    results: list[EventResult]


class Argon2(_Answer):
    """Argon2id's parameters at this site."""

    time: int = Field(ge=1, le=16)
    memory_kib: int = Field(ge=8, le=1024 * 1024)
    lanes: int = Field(ge=1, le=16)


class PinAnswered(_Answer):
    """What turns PINs into tags. Secret."""

    site_salt: str = Field(repr=False)
    pepper: str = Field(repr=False)
    argon2: Argon2


class Enrolled(_Answer):
    """``POST /enrol``. Its ``repr`` shows nothing secret."""

    station: int
    site: int
    role: int
    token: str = Field(repr=False)
    certificate: str
    central_keys: list[str]
    pin: PinAnswered = Field(repr=False)


class CertificateAnswered(_Answer):
    """``POST /certificate``."""

    certificate: str


class Provisioned(_Answer):
    """``POST /provision``: the mirror object of the key to hand out."""

    key: dict[str, Any]


A = TypeVar("A", bound=_Answer)


class CentralLink:
    """One keep-alive connection to central. Errors: `CentralUnreachable`, `CentralRefused`, `Resnapshot`."""

    def __init__(self, url: str, token: Secret[str] | None = None, *, verify: bool | Any = True) -> None:
        headers = {"Authorization": f"Bearer {token.reveal()}"} if token else {}
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/") + "/api/v1",
            headers=headers,
            verify=verify,
            # A proxy named in the environment of a login shell must not carry a station's token.
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(max_connections=4, keepalive_expiry=KEEP_ALIVE_S),
        )

    async def close(self) -> None:
        """Let go of the connection."""
        await self._http.aclose()

    async def enrol(self, code: Secret[str], public_key: bytes) -> Enrolled:
        """Trade a one-time code for this station's credentials."""
        return await self._post(Enrolled, "/enrol", {"code": code.reveal(), "public_key": encoded(public_key)})

    async def time(self, nonce: bytes) -> bytes:
        """A ``time/1`` record for ``nonce`` (16 bytes), not yet verified."""
        answer = await self._post(TimeAnswered, "/time", {"nonce": encoded(nonce)})
        return _octets(answer.record)

    async def snapshot(self) -> Snapshot:
        """The whole mirror."""
        _, body = await self._ask("GET", "/mirror/snapshot")
        return _shaped(Snapshot, body)

    async def changes(self, since: str, wait_s: int = 0) -> Page | None:
        """What has changed since the cursor; None when nothing has."""
        params = {"since": since, "limit": str(PAGE_LIMIT), "wait": str(wait_s)}
        status, body = await self._ask("GET", "/mirror/changes", params=params)
        return None if status == httpx.codes.NOT_MODIFIED else _shaped(Page, body)

    async def send(self, events: Sequence[Mapping[str, Json]]) -> list[EventResult]:
        """Hand over 1..100 events; the result of each."""
        data = gzip.compress(json.dumps({"events": list(events)}, separators=(",", ":")).encode(), compresslevel=6)
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        _, body = await self._ask("POST", "/events", content=data, headers=headers)
        return _shaped(EventsAnswered, body).results

    async def certificate(self) -> bytes:
        """A renewed ``station/1``, not yet verified."""
        answer = await self._post(CertificateAnswered, "/certificate", {})
        return _octets(answer.certificate)

    async def provision(self, code: Secret[str]) -> dict[str, Any]:
        """The mirror object of the key that the one-time code stands for."""
        return (await self._post(Provisioned, "/provision", {"code": code.reveal()})).key

    async def _post(self, kind: type[A], path: str, json_body: Json) -> A:
        _, body = await self._ask("POST", path, json=json_body)
        return _shaped(kind, body)

    async def _ask(self, method: str, path: str, **request: Any) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(WHOLE_ANSWER_S), self._http.stream(method, path, **request) as response:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > ANSWER_LIMIT_BYTES:
                        raise CentralUnreachable("central_answer_too_long", path=path)
        # httpx.InvalidURL and decoding errors are not HTTPError; an answer can be wrong in all these ways.
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError, OSError, ValueError) as error:
            raise CentralUnreachable("central_unreachable", path=path, cause=type(error).__name__) from None
        status = response.status_code
        if status in {httpx.codes.OK, httpx.codes.CREATED, httpx.codes.NOT_MODIFIED}:
            return status, bytes(body)
        raise _refusal(status, bytes(body), path)


def _refusal(status: int, body: bytes, path: str) -> StationError:
    """What an error answer means. Only central's own error shape counts as its word; all else is some other machine."""
    try:
        parsed = json.loads(body)
        code = parsed["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        code = None
    if not isinstance(code, str) or not code.isascii() or len(code) > 40 or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return CentralUnreachable("central_unreachable", path=path, status=status)
    if status == httpx.codes.GONE and code == "resnapshot":
        return Resnapshot("resnapshot")
    return CentralRefused(code, path=path, status=status)


def _shaped(kind: type[A], body: bytes) -> A:
    try:
        return kind.model_validate_json(body)
    except (ValidationError, RecursionError):
        # Not "from error": a validation error shows the input, and that may be a pepper.
        raise CentralUnreachable("central_answer_malformed", answer=kind.__name__) from None


def _octets(text: str) -> bytes:
    try:
        return decoded(text)
    except ValueError:
        raise CentralUnreachable("central_answer_malformed") from None
