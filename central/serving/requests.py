"""What becomes of a request (an ASGI application): its body is gathered, a thread calls Django, the answer goes out."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import parse_qs

from django.http import HttpResponse
from django.urls import reverse

from central.api.http import API_PATH
from central.api.polls import MAY_WAIT, MayWait
from central.doors.faults import RETRY_AFTER_S
from central.serving.calling import Application, Broken, Environment, Headers, Outgoing, environment_of
from central.serving.connections import Connection
from central.serving.threads import Busy, Lane, Threads
from central.serving.waiting import WaitingPolls

Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

BODY_LIMIT_BYTES = 1024 * 1024 + 64 * 1024
"""As much as any call or form may have, and a form's dress. A longer one is refused by its beginning."""
HELD_LIMIT_BYTES = 64 * 1024 * 1024
"""Of all bodies together that are not whole."""
REST_S = 2.0
"""For what is left of a body that is too long: so that its sender hears why."""
REST_LIMIT_BYTES = 8 * BODY_LIMIT_BYTES
ANSWER_S = 30.0
"""For each piece of an answer to go out."""
SNAPSHOT_PATH = f"{API_PATH}v1/mirror/snapshot"
HEALTH_PATH = "/healthz"
CHANGES_PATH = f"{API_PATH}v1/mirror/changes"

log = logging.getLogger("central.serving")


class _Gone(Exception):
    """Whoever asked does not hear the answer."""


class Requests:
    """All requests of a process."""

    def __init__(self, application: Application, threads: Threads, polls: WaitingPolls) -> None:
        self._application, self._threads, self._polls = application, threads, polls
        self._held_bytes = 0
        self._snapshots: dict[str, tuple[Connection, Outgoing]] = {}
        """Those that are on their way, by what was shown for a token: one each."""
        self._log_in = reverse("office:login")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """ASGI's protocol."""
        connection: Connection = scope["state"]["connection"]
        try:
            body = await self._body(receive)
            environment = environment_of(scope, body[: BODY_LIMIT_BYTES + 1])
            # What has come of it is not all: the next request cannot be found behind it.
            ending = [(b"connection", b"close")] if len(body) > BODY_LIMIT_BYTES else []
            await self._answer(environment, connection, partial(_send, send), ending)
        except (_Gone, Broken, TimeoutError):
            connection.abort()
        except Exception:
            log.exception("request.failed")
            connection.abort()

    async def _body(self, receive: Receive) -> bytes:
        """The whole body; of one that is too long more than may be. Raises _Gone."""
        body = bytearray()
        try:
            while await self._more(receive, body):
                if len(body) > BODY_LIMIT_BYTES:
                    await _discard(receive)
                    break
        finally:
            self._held_bytes -= len(body)
        return bytes(body)

    async def _more(self, receive: Receive, body: bytearray) -> bool:
        message = await receive()
        if message["type"] != "http.request":
            raise _Gone
        body += message["body"]
        self._held_bytes += len(message["body"])
        if self._held_bytes > HELD_LIMIT_BYTES:
            raise _Gone
        return bool(message["more_body"])

    async def _answer(self, environment: Environment, connection: Connection, send: Send, ending: Headers) -> None:
        lane = self._lane(environment)
        outgoing = Outgoing()
        shown = _shown(environment)
        may_wait: list[MayWait] = []
        if lane is Lane.WAITING_POLL:
            environment[MAY_WAIT] = may_wait
        try:
            if lane is Lane.SNAPSHOT:
                if not Outgoing.has_room():
                    raise Busy
                self._give_way(shown)
                self._snapshots[shown] = connection, outgoing
            calling = self._threads.start(partial(outgoing.call, self._application, environment), lane)
            if lane is Lane.WAITING_POLL:
                await calling
                if may_wait:
                    outgoing.close()
                    await _send_whole(send, await self._waited(may_wait[0], connection))
                    return
            await self._pass_on(outgoing, connection, send, ending)
        except Busy:
            await _refuse(send, is_api=environment["PATH_INFO"].startswith(API_PATH))
        finally:
            outgoing.close()
            if self._snapshots.get(shown, (None, None))[1] is outgoing:
                del self._snapshots[shown]

    def _lane(self, environment: Environment) -> Lane | None:
        path = environment["PATH_INFO"]
        if path == CHANGES_PATH and parse_qs(environment["QUERY_STRING"]).get("wait", ["0"])[-1] != "0":
            return Lane.WAITING_POLL
        if path == SNAPSHOT_PATH:
            return Lane.SNAPSHOT
        if path == self._log_in and environment["REQUEST_METHOD"] == "POST":
            return Lane.LOG_IN
        return None if path.startswith(API_PATH) or path == HEALTH_PATH else Lane.PAGE

    def _give_way(self, shown: str) -> None:
        """The snapshot that this token gets already ends: nobody collects them, and a broken line is soon free."""
        earlier = self._snapshots.get(shown)
        if earlier is not None:
            earlier[0].abort()
            earlier[1].close()

    async def _waited(self, may_wait: MayWait, connection: Connection) -> HttpResponse:
        if connection.transport.is_closing():
            raise _Gone
        try:
            return await self._polls.answer(may_wait, connection.when_lost.append)
        except asyncio.CancelledError:
            if connection.transport.is_closing():
                raise _Gone from None
            raise
        finally:
            connection.when_lost.clear()

    async def _pass_on(self, outgoing: Outgoing, connection: Connection, send: Send, ending: Headers) -> None:
        has_begun, is_last = False, False
        while not is_last:
            try:
                piece, is_last = await outgoing.next()
            except Broken:
                if has_begun:
                    raise
                raise Busy from None
            if connection.transport.is_closing():
                raise _Gone
            if not has_begun:
                has_begun = True
                headers = outgoing.headers + ending
                if is_last and not any(name == b"content-length" for name, _ in headers):
                    headers.append((b"content-length", str(len(piece)).encode()))
                await send({"type": "http.response.start", "status": outgoing.status, "headers": headers})
            await send({"type": "http.response.body", "body": piece, "more_body": not is_last})


def _shown(environment: Environment) -> str:
    return hashlib.sha256(environment.get("HTTP_AUTHORIZATION", "").encode("latin-1")).hexdigest()


async def _discard(receive: Receive) -> None:
    """Read on for a while, so that the sender gets to hear the answer instead of a closed connection."""
    left_bytes = REST_LIMIT_BYTES
    try:
        async with asyncio.timeout(REST_S):
            while left_bytes > 0:
                message = await receive()
                if message["type"] != "http.request":
                    raise _Gone
                left_bytes -= len(message["body"])
                if not message["more_body"]:
                    return
    except TimeoutError:
        return


async def _send(send: Send, message: dict[str, Any]) -> None:
    """Send a piece. Whoever does not read it is not waited for for ever: raises TimeoutError."""
    async with asyncio.timeout(ANSWER_S):
        await send(message)


async def _send_whole(send: Send, answer: HttpResponse) -> None:
    lean = {"Cache-Control": "no-store", **dict(answer.items()), "Content-Length": str(len(answer.content))}
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in lean.items()]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})


async def _refuse(send: Send, *, is_api: bool) -> None:
    """Answer 503: the lines are too long."""
    if is_api:
        text = json.dumps({"error": "unavailable", "detail": "the server is busy: try again"})
        answer = HttpResponse(text, status=503, content_type="application/json")
    else:
        text = "The server is busy. Nothing was done: try again in a few seconds.\n"
        answer = HttpResponse(text, status=503, content_type="text/plain; charset=utf-8")
    answer["Retry-After"] = str(RETRY_AFTER_S)
    await _send_whole(send, answer)
