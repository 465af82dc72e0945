"""A request and its answer between the event loop and a WSGI application (PEP 3333) in a thread.

The application gets the whole body at once. Its answer goes into an `Outgoing`, as fast as it is made: neither a thread
nor a transaction waits for somebody who reads slowly.
"""

import asyncio
import logging
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from enum import Enum, auto
from io import BytesIO
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes

from django.db import Error as DatabaseFault

from central.doors.log_text import plain

Environment: TypeAlias = dict[str, Any]
Application: TypeAlias = Callable[[Environment, Callable[..., Any]], Iterable[bytes]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

MEMORY_LIMIT_BYTES = 256 * 1024
"""Of one answer; what is longer goes into a temporary file."""
UNREAD_LIMIT_BYTES = 256 * 1024 * 1024
"""Of all answers of a process together that are not read to their end by those who asked."""
PIECE_BYTES = 64 * 1024
_CONTENT = {"HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_TRANSFER_ENCODING"}

log = logging.getLogger("central.serving")


class Unwanted(Exception):
    """Nobody reads this answer any more, or there is no room for one that is read so slowly."""


class Broken(Exception):
    """The application failed in the middle of its answer; it is in the log."""


def environment_of(scope: dict[str, Any], body: bytes) -> Environment:
    """The request as WSGI has it."""
    host, port = scope["server"] or ("localhost", 80)
    asking_host, asking_port = scope["client"] or ("", 0)
    environment: Environment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": asking_host,
        "REMOTE_PORT": str(asking_port),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        # `X_Forwarded_For` would become what the proxy's `X-Forwarded-For` is.
        if "_" in name:
            continue
        key = "HTTP_" + name.upper().replace("-", "_")
        if key == "HTTP_CONTENT_TYPE":
            environment["CONTENT_TYPE"] = value
        if key not in _CONTENT:
            separator = "; " if key == "HTTP_COOKIE" else ","
            environment[key] = f"{environment[key]}{separator}{value}" if key in environment else value
    return environment


class _End(Enum):
    WHOLE = auto()
    BROKEN = auto()


class Outgoing:
    """An answer: written by one thread, read by the event loop, in its own time."""

    _unread_bytes = 0
    _unread_lock = threading.Lock()

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._file = tempfile.SpooledTemporaryFile(MEMORY_LIMIT_BYTES)  # noqa: SIM115  (`close` ends it)
        self._written = self._read = 0
        self._end: _End | None = None
        self._is_closed = False
        self._news = asyncio.Event()

    def call(self, application: Application, environment: Environment) -> None:
        """In a thread: have the application answer. Raises nothing."""
        pieces: Iterable[bytes] = ()
        try:
            try:
                pieces = application(environment, self._begin)
                for piece in pieces:
                    self._write(piece)
                self._end = _End.WHOLE
            finally:
                if hasattr(pieces, "close"):
                    pieces.close()
        except Unwanted:
            self._end = _End.BROKEN
        except DatabaseFault as error:
            self._end = _End.BROKEN
            path = plain(environment["PATH_INFO"])
            log.error("answer.broken %s path=%s", type(error).__name__, path)  # noqa: TRY400  (one line)
        except Exception:
            self._end = _End.BROKEN
            log.exception("answer.broken path=%s", plain(environment["PATH_INFO"]))
        finally:
            self._tell()

    async def next(self) -> tuple[bytes, bool]:
        """The next piece, as soon as there is one, and whether it is the last. Raises Broken."""
        await self._news.wait()
        with self._lock:
            if self._end is _End.BROKEN or self._is_closed:
                raise Broken
            self._file.seek(self._read)
            piece = self._file.read(PIECE_BYTES)
            self._read += len(piece)
            is_all = self._read == self._written
            if is_all and self._end is None:
                self._news.clear()
            return piece, is_all and self._end is _End.WHOLE

    def close(self) -> None:
        """Forget it, once or again; a thread that still writes ends soon."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._file.close()
            self._account(-self._written)
        self._news.set()

    @classmethod
    def has_room(cls) -> bool:
        """Whether a long answer should be begun."""
        return cls._unread_bytes < UNREAD_LIMIT_BYTES // 2

    def _begin(self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Callable[[bytes], None]:
        self.status = int(status.split(" ", 1)[0])
        self.headers = [(name.lower().encode("latin-1"), value.strip().encode("latin-1")) for name, value in headers]
        return self._write

    def _write(self, piece: bytes) -> None:
        with self._lock:
            if self._is_closed:
                raise Unwanted
            self._account(len(piece))
            self._file.seek(self._written)
            self._file.write(piece)
            self._written += len(piece)
            is_news = self._written - self._read >= PIECE_BYTES
        if is_news:
            self._tell()

    def _tell(self) -> None:
        self._loop.call_soon_threadsafe(self._news.set)

    @classmethod
    def _account(cls, more_bytes: int) -> None:
        with cls._unread_lock:
            if more_bytes > 0 and cls._unread_bytes + more_bytes > UNREAD_LIMIT_BYTES:
                raise Unwanted
            cls._unread_bytes += more_bytes
