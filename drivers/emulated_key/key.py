"""An emulated key: what its firmware does with the bytes that reach it. No wire, no task, no time of its own."""

import logging
import struct
import time
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import cbor2
from smp import packet

from drivers.emulated_key.file_system import EINVAL, ENOENT, FS_GROUP, UNKNOWN, FileSystem, NoAnswer, SmpError
from drivers.emulated_key.folder import KeyFolder, KeyState
from drivers.emulated_key.options import KeyOptions

# smp logs every message it encodes, whole: permits have no place in a log, nor have those of an emulated key.
logging.getLogger("smp").setLevel(logging.CRITICAL + 1)

_HEADER: Final = struct.Struct("!BBHHBB")
_OS_GROUP: Final = 0
_READ: Final = 0
_WRITE: Final = 2
_EMSGSIZE: Final = 7
_ENOTSUP: Final = 8
_TOO_NEW: Final = 13
_RTC_NOT_SET: Final = 4
_BUFFER_COUNT: Final = 4
_RECEIVE_LINE_BYTES: Final = 128
_LINE_LENGTH: Final = 128
_AWAKE_SLACK_S: Final = 2.0
"""How stale the stored time of falling asleep may be: the file is not rewritten for every request."""


class EmulatedKey:
    """A key whose files and state are in the folder ``path``: made blank when it is not there.

    ``now`` is the world's Unix time, ``monotonic`` counts seconds for idle files.
    """

    def __init__(
        self,
        path: Path,
        options: KeyOptions | None = None,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = options or KeyOptions()
        self.folder = KeyFolder(path, now)
        self._now = now
        self._monotonic = monotonic
        self._files = FileSystem(self.folder, self.options)
        self._line = bytearray()
        self._ignoring = False
        self._fragments = bytearray()
        self._expected = 0
        self._lines = 0
        self._awake_until = min(self.folder.state().awake_until, now() + self.options.awake_s)
        self._keep(has_clock=self.options.has_clock, awake_until=self._awake_until)

    def use(self, options: KeyOptions) -> None:
        """Be as if built with ``options`` from now on; what is on it stays."""
        self.options = self._files.options = options

    # ---- what a person does with it

    def press(self) -> None:
        """Press the button: the key is awake for a while."""
        self._awake_until = self._now() + self.options.awake_s
        self._keep(awake_until=self._awake_until)

    def lose_power(self) -> None:
        """Take the battery out and put it back: asleep, the clock unset, nothing left that was not committed."""
        self._awake_until = 0.0
        self._files.forget()
        self._line.clear()
        self._fragments.clear()
        self._expected = 0
        self._keep(awake_until=0.0, clock_offset_s=None)

    @property
    def awake(self) -> bool:
        """Whether it answers."""
        return self._now() < self._awake_until

    @property
    def has_open_file(self) -> bool:
        """Whether a transfer is open."""
        return self._files.is_open

    def commit_open_file(self) -> None:
        """Commit the file that is open for a transfer."""
        self._files.close()

    def commit_idle_file(self) -> None:
        """Commit the file that is open for a transfer if it has been idle for long enough."""
        self._files.close_idle(self._monotonic())

    # ---- what comes over the wire

    def receive(self, data: bytes) -> bytes:
        """Bytes from the line, in any pieces; the lines of what it answers. Asleep it hears nothing.

        What has no newline yet stays, also while the key is pulled and put in again.
        """
        if not self.awake:
            return b""
        answers = b""
        for piece in _lines(data):
            if not self._ignoring:
                self._line += piece
                if len(self._line) > _RECEIVE_LINE_BYTES:  # longer than a receive fragment: dropped up to the newline
                    self._line.clear()
                    self._ignoring = True
            if piece.endswith(b"\n"):
                line = bytes(self._line)
                self._line.clear()
                self._ignoring, ignored = False, self._ignoring
                if not ignored:
                    answers += self._take_line(line)
        return answers

    def handle(self, request: bytes) -> bytes | None:
        """Answer one SMP request; None where a key would be silent: asleep, a broken or too large request."""
        if not self.awake:
            return None
        self._stay_awake()
        self.commit_idle_file()
        if len(request) < _HEADER.size or len(request) > self.options.buffer_bytes - 4:
            return None
        first, _, length, group, sequence, command = _HEADER.unpack_from(request)
        operation, version = first & 7, first >> 3 & 3
        if self.options.error_version == 1:
            version = 0
        if operation not in {_READ, _WRITE} or len(request) < _HEADER.size + length:
            return None
        try:
            payload = self._answer(operation, version, group, command, request[_HEADER.size :])
        except SmpError as error:
            payload = _indefinite_map(_error_body(error, version))
        except NoAnswer:
            return None
        return _HEADER.pack(version << 3 | operation + 1, 0, len(payload), group, sequence, command) + payload

    def _take_line(self, line: bytes) -> bytes:
        if line.startswith(packet.START_DELIMITER):
            self._fragments.clear()
            self._lines = 0
        elif not line.startswith(packet.CONTINUE_DELIMITER) or not self._fragments:
            return b""
        self._lines += 1
        try:
            self._fragments += b64decode(line[2:].rstrip(b"\r\n"), validate=True)
        except Base64Error:
            self._fragments.clear()
            return b""
        if len(self._fragments) < 2:
            return b""
        expected = 2 + int.from_bytes(self._fragments[:2])
        overrun = self.options.max_request_lines is not None and self._lines > self.options.max_request_lines
        if overrun or len(self._fragments) > min(expected, self.options.buffer_bytes):
            self._fragments.clear()
            return b""
        if len(self._fragments) < expected:
            return b""
        message, crc = bytes(self._fragments[2:-2]), int.from_bytes(self._fragments[-2:])
        self._fragments.clear()
        if packet.crc16_func(message) != crc:
            return b""
        answer = self.handle(message)
        return b"".join(packet.encode(answer, _LINE_LENGTH)) if answer is not None else b""

    def _answer(self, operation: int, version: int, group: int, command: int, payload: bytes) -> bytes:
        if version > 1:
            raise SmpError(None, _TOO_NEW)
        body = self._perform(operation, group, command, _decoded(payload))
        if version == 0:
            body = {"rc": 0, **body}
        answer = _indefinite_map(body)
        if _HEADER.size + len(answer) > self.options.buffer_bytes:
            raise SmpError(None, _EMSGSIZE)
        return answer

    def _perform(self, operation: int, group: int, command: int, body: dict[str, Any]) -> dict[str, Any]:
        has = self.options
        now = self._monotonic()
        match (group, command, operation):
            case (0, 0, _) if operation in has.echo_operations:
                text = body.get("d", "")
                if not isinstance(text, str):
                    raise SmpError(None, EINVAL)
                return {"r": text}
            case (0, 4, 0) if has.has_clock:
                return {"datetime": self._datetime()}
            case (0, 4, 2) if has.has_clock:
                self._set_datetime(body.get("datetime"))
                return {}
            case (0, 6, 0) if has.has_parameters:
                return {"buf_size": has.buffer_bytes, "buf_count": _BUFFER_COUNT}
            case (8, 0, 0):
                return self._files.download(body, now)
            case (8, 0, 2):
                return self._files.upload(body, now)
            case (8, 1, 0) if has.has_status:
                return self._files.status(body)
            case (8, 2, 0) if has.hashes:
                return self._files.hash(body)
            case (8, 4, 2) if has.has_close:
                self._files.close()
                return {}
            case _:
                raise SmpError(None, _ENOTSUP)

    def _datetime(self) -> str:
        offset_s = self.folder.state().clock_offset_s
        if offset_s is None:
            raise SmpError(_OS_GROUP, _RTC_NOT_SET)
        moment = datetime.fromtimestamp(self._now() + offset_s, UTC)
        text = moment.strftime("%Y-%m-%dT%H:%M:%S")
        return f"{text}.{moment.microsecond // 1000}" if self.options.milliseconds else text

    def _set_datetime(self, text: object) -> None:
        # Zephyr: 19 to 25 characters, and whatever follows the seconds (a time zone) is passed over.
        if not isinstance(text, str) or not 19 <= len(text) < 26:
            raise SmpError(None, EINVAL)
        try:
            moment = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
        except ValueError:
            raise SmpError(None, EINVAL) from None
        self._keep(clock_offset_s=moment.timestamp() - self._now())

    def _stay_awake(self) -> None:
        self._awake_until = max(self._awake_until, self._now() + self.options.awake_s)
        if self._awake_until - self._stored_awake_until > _AWAKE_SLACK_S:
            self._keep(awake_until=self._awake_until)

    def _keep(self, **changes: Any) -> None:
        state: KeyState = replace(self.folder.state(), **changes)
        self.folder.store_state(state)
        self._stored_awake_until = state.awake_until


def _lines(data: bytes) -> list[bytes]:
    """Pieces that end with their newline, and the rest."""
    return [piece + b"\n" for piece in data.split(b"\n")[:-1]] + [piece for piece in data.split(b"\n")[-1:] if piece]


def _decoded(payload: bytes) -> dict[str, Any]:
    try:
        body = cbor2.load(BytesIO(payload))
    except (cbor2.CBORDecodeError, ValueError):
        raise SmpError(None, EINVAL) from None
    if not isinstance(body, dict):
        raise SmpError(None, EINVAL)
    return body


def _indefinite_map(body: dict[str, Any]) -> bytes:
    """A map of indefinite length, which is how Zephyr writes all of its answers."""
    return b"\xbf" + b"".join(cbor2.dumps(name) + cbor2.dumps(value) for name, value in body.items()) + b"\xff"


def _error_body(error: SmpError, version: int) -> dict[str, Any]:
    if error.group is None:
        return {"rc": error.rc}
    if version == 0:
        return {"rc": _VERSION_1.get((error.group, error.rc), UNKNOWN)}
    return {"err": {"group": error.group, "rc": error.rc}, **error.extra}


_VERSION_1: Final = {
    (_OS_GROUP, _RTC_NOT_SET): ENOENT,
    (FS_GROUP, 2): EINVAL,
    (FS_GROUP, 3): ENOENT,
    (FS_GROUP, 13): EINVAL,
    (FS_GROUP, 14): ENOENT,
}
