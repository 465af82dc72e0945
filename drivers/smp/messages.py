"""SMP messages as a station needs them: requests as bytes, answers as lenient as keys are different.

An SMP message is a header of 8 bytes (operation and version, flags, body length, group, sequence, command) and a CBOR
map (Zephyr's ``doc/services/device_mgmt/smp_protocol.rst``). The message classes of the ``smp`` package are not used:
they reject genuine Zephyr answers (an error with ``len`` beside it, a success with ``rc: 0``) and take a quarter of a
second to import.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple

import cbor2

from station.ports import KeyRefused

HEADER: Final = struct.Struct("!BBHHBB")
VERSION_2: Final = 1 << 3
READ: Final = 0
WRITE: Final = 2

OS_GROUP: Final = 0
FS_GROUP: Final = 8


class Rc(IntEnum):
    """Errors of SMP itself (``MGMT_ERR_*``): all that version 1 has."""

    UNKNOWN = 1
    EINVAL = 3
    ENOENT = 5
    ENOTSUP = 8


class OsRc(IntEnum):
    """Errors of the os group (``OS_MGMT_ERR_*``)."""

    RTC_NOT_SET = 4


class FsRc(IntEnum):
    """Errors of the fs group (``FS_MGMT_ERR_*``)."""

    FILE_NOT_FOUND = 3
    FILE_SEEK_FAILED = 6
    OFFSET_NOT_VALID = 11
    OFFSET_LARGER_THAN_FILE = 12
    HASH_NOT_FOUND = 13
    FILE_EMPTY = 16


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, before it has a sequence number."""

    operation: int
    group: int
    command: int
    body: bytes

    def to_bytes(self, sequence: int) -> bytes:
        """The whole message."""
        return (
            HEADER.pack(VERSION_2 | self.operation, 0, len(self.body), self.group, sequence, self.command) + self.body
        )

    def __len__(self) -> int:
        return HEADER.size + len(self.body)

    @property
    def is_slow(self) -> bool:
        """Whether a key has to erase, write or read through its flash memory for it."""
        return self.group == FS_GROUP and (self.operation, self.command) != (READ, 0)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error that the key answered with; ``group`` is None where it is one of SMP itself (or of version 1)."""

    group: int | None
    rc: int

    def is_(self, *codes: Rc | OsRc | FsRc) -> bool:
        """Whether it is one of these, of the group they belong to."""
        return any(self.rc == code and self.group == _GROUP_OF[type(code)] for code in codes)


_GROUP_OF: Final[dict[type[IntEnum], int | None]] = {Rc: None, OsRc: OS_GROUP, FsRc: FS_GROUP}


class Answer(NamedTuple):
    """A message from the key. ``body`` is whatever map it sent; nothing in it has been checked."""

    operation: int
    group: int
    sequence: int
    command: int
    body: dict[Any, Any]

    @classmethod
    def from_bytes(cls, message: bytes) -> "Answer | None":
        """The answer, or None where the message is none."""
        if len(message) < HEADER.size:
            return None
        first, _, length, group, sequence, command = HEADER.unpack_from(message)
        if len(message) < HEADER.size + length:
            return None
        try:
            body = cbor2.loads(message[HEADER.size : HEADER.size + length])
        except (cbor2.CBORDecodeError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError):
            return None
        if not isinstance(body, dict):
            return None
        return cls(first & 7, group, sequence, command, body)

    def answers(self, request: Request, sequence: int) -> bool:
        """Whether this is the answer to that request, not a late one to another."""
        return (
            self.sequence == sequence
            and self.group == request.group
            and self.command == request.command
            and self.operation == request.operation + 1
        )

    @property
    def refusal(self) -> Refusal | None:
        """The error it carries, as ``{"err": {"group": g, "rc": n}}`` or as ``{"rc": n}``; ``rc`` 0 is none."""
        err = self.body.get("err")
        if isinstance(err, dict):
            group, rc = err.get("group"), err.get("rc")
            if not isinstance(group, int) or not isinstance(rc, int):
                return Refusal(None, Rc.UNKNOWN)
            return Refusal(group, rc) if rc else None
        rc = self.body.get("rc", 0)
        if not isinstance(rc, int):
            return Refusal(None, Rc.UNKNOWN)
        return Refusal(None, rc) if rc else None

    def refused(self, what: str) -> KeyRefused:
        """What to raise for an answer that carries an error: ``not_supported`` or ``key_error``."""
        refusal = self.refusal
        if refusal is None:
            return KeyRefused("answer_malformed", what=what)
        code = "not_supported" if refusal.is_(Rc.ENOTSUP) else "key_error"
        return KeyRefused(code, what=what, group=refusal.group, rc=refusal.rc)

    def uint(self, name: str) -> int:
        """A number of the body. Raises KeyRefused (``answer_malformed``)."""
        value = self.body.get(name)
        if type(value) is not int or value < 0:
            raise KeyRefused("answer_malformed", field=name)
        return value

    def text(self, name: str) -> str:
        """A text of the body. Raises KeyRefused (``answer_malformed``)."""
        value = self.body.get(name)
        if not isinstance(value, str):
            raise KeyRefused("answer_malformed", field=name)
        return value

    def data(self, name: str) -> bytes:
        """A byte string of the body. Raises KeyRefused (``answer_malformed``)."""
        value = self.body.get(name)
        if not isinstance(value, bytes):
            raise KeyRefused("answer_malformed", field=name)
        return value


def echo() -> Request:
    """Os 0/0: whether anyone is there."""
    return _request(WRITE, OS_GROUP, 0, d="")


def datetime_get() -> Request:
    """Os 0/4, read: the key's clock."""
    return _request(READ, OS_GROUP, 4)


def datetime_set(text: str) -> Request:
    """Os 0/4, write: ``yyyy-MM-ddTHH:mm:ss``, UTC."""
    return _request(WRITE, OS_GROUP, 4, datetime=text)


def parameters() -> Request:
    """Os 0/6: the size and number of the key's buffers."""
    return _request(READ, OS_GROUP, 6)


def download(path: str, offset: int) -> Request:
    """Fs 8/0, read: the next piece from ``offset``; its size is the key's choice."""
    return _request(READ, FS_GROUP, 0, off=offset, name=path)


def upload(path: str, content: bytes, offset: int, largest_bytes: int) -> tuple[Request, int]:
    """Fs 8/0, write: as much of ``content`` from ``offset`` as a request of ``largest_bytes`` holds; and how much.

    Raises KeyRefused (``buffer_too_small``).
    """
    body: dict[str, Any] = {"off": offset, "data": b"", "name": path}
    if not offset:
        body["len"] = len(content)
    room = largest_bytes - HEADER.size - len(cbor2.dumps(body)) - _LONGER_HEAD_BYTES
    if room < 1:
        raise KeyRefused("buffer_too_small", largest_bytes=largest_bytes)
    body["data"] = content[offset : offset + room]
    return _request(WRITE, FS_GROUP, 0, **body), len(body["data"])


_LONGER_HEAD_BYTES: Final = 2
"""CBOR writes the length of a string before it: up to so many bytes more than for an empty one."""


def status(path: str) -> Request:
    """Fs 8/1: the size of a file."""
    return _request(READ, FS_GROUP, 1, name=path)


def file_hash(path: str, kind: str, length: int) -> Request:
    """Fs 8/2: ``sha256`` or ``crc32`` of a file, or of its first ``length`` bytes where it is longer."""
    return _request(READ, FS_GROUP, 2, name=path, type=kind, len=length)


def close_file() -> Request:
    """Fs 8/4: let go of whatever transfer the key still has open."""
    return _request(WRITE, FS_GROUP, 4)


def _request(operation: int, group: int, command: int, **body: Any) -> Request:
    return Request(operation, group, command, cbor2.dumps(body))
