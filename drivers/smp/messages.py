"""SMP messages as a station needs them: requests as bytes, answers as lenient as keys are different.

An SMP message is a header of 8 bytes (operation and version, flags, body length, group, sequence, command) and a CBOR
map (Zephyr's ``doc/services/device_mgmt/smp_protocol.rst``). The message classes of the ``smp`` package are not used:
they reject genuine Zephyr answers (an error with ``len`` beside it, a success with ``rc: 0``) and take a quarter of a
second to import.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

import cbor2

from drivers.smp.framing import GROUP_BYTES, OVERHEAD_BYTES
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


def begins_answer(begun: bytes, request: Request, sequence: int) -> bool:
    """Whether a message of which so much is there is the answer to that request."""
    if len(begun) < HEADER.size:
        return False
    first, _, _, group, number, command = HEADER.unpack_from(begun)
    return Answer(first & 7, group, number, command, {}).answers(request, sequence)


def echo() -> Request:
    """Os 0/0: whether anyone is there."""
    return Request(WRITE, OS_GROUP, 0, _ECHO_BODY)


_ECHO_BODY: Final = cbor2.dumps({"d": ""})


def datetime_get() -> Request:
    """Os 0/4, read: the key's clock."""
    return Request(READ, OS_GROUP, 4, _NOTHING)


def datetime_set(text: str) -> Request:
    """Os 0/4, write: ``yyyy-MM-ddTHH:mm:ss``, UTC."""
    return Request(WRITE, OS_GROUP, 4, cbor2.dumps({"datetime": text}))


def parameters() -> Request:
    """Os 0/6: the size and number of the key's buffers."""
    return Request(READ, OS_GROUP, 6, _NOTHING)


_NOTHING: Final = cbor2.dumps({})


@lru_cache(maxsize=32)
def download(path: str, offset: int) -> Request:
    """Fs 8/0, read: the next piece from ``offset``; its size is the key's choice."""
    return Request(READ, FS_GROUP, 0, cbor2.dumps({"off": offset, "name": path}))


def data_head(length: int) -> bytes:
    """What stands before ``length`` bytes of a file, in requests and in answers."""
    return _DATA + _head(2, length)


def upload(path: str, content: bytes, offset: int, largest_bytes: int) -> tuple[Request, int]:
    """Fs 8/0, write: as much of ``content`` from ``offset`` as a request of ``largest_bytes`` holds; and how much.

    Put together by hand: the general encoder takes so long that it would be seen on the wire.
    """
    name = _text(path)
    before = b"\xa3\x63off" + _head(0, offset) if offset else b"\xa4\x63off\x00\x63len" + _head(0, len(content))
    room = _most_data_bytes(largest_bytes - HEADER.size - len(before) - len(_DATA) - len(name))
    if room < 1:
        raise KeyRefused("buffer_too_small", largest_bytes=largest_bytes)
    data = content[offset : offset + room]
    return Request(WRITE, FS_GROUP, 0, before + data_head(len(data)) + data + name), len(data)


_DATA: Final = b"\x64data"


@lru_cache(maxsize=32)
def _text(path: str) -> bytes:
    """The member ``name`` of a map."""
    name = path.encode()
    return b"\x64name" + _head(3, len(name)) + name


def _head(major: int, number: int) -> bytes:
    """What CBOR begins an item with: its major type, and a number (RFC 8949, section 3)."""
    if number < 24:
        return bytes((major << 5 | number,))
    if number <= 0xFF:
        return bytes((major << 5 | 24, number))
    return (
        bytes((major << 5 | 25, number >> 8, number & 0xFF))
        if number <= 0xFFFF
        else _LONG.pack(major << 5 | 26, number)
    )


_LONG: Final = struct.Struct("!BI")


def _most_data_bytes(room: int) -> int:
    """How long a byte string may be that has ``room``, its own length included; less than 1: too little room."""
    # Up to 23 bytes it has its length in its first byte; beyond that in one or two more.
    return max(room - 3, min(room - 2, 0xFF), min(room - 1, 23))


@lru_cache(maxsize=32)
def even_request_bytes(path: str, length: int, largest_bytes: int) -> int:
    """How large the requests are to be that upload ``length`` bytes: as few as can be, all about as long.

    The frame of such a request is whole groups of base64; full requests and a short last one are up to 4 bytes longer
    on the wire. And the shorter a burst is, the less of it does a key lose.
    """
    fixed = HEADER.size + 1 + len("_off") + len(_DATA) + len(_text(path))
    first = fixed + len(_head(0, 0)) + len("_len") + len(_head(0, length))
    offset = count = 0
    while offset < length:
        room = _most_data_bytes(largest_bytes - (fixed + len(_head(0, offset)) if offset else first))
        if room < 1:
            return largest_bytes
        offset, count = offset + room, count + 1
    if count < 2:
        return largest_bytes
    data_bytes = -(-length // count)
    # The first has the length of the whole beside its data: none of the others has less room.
    even = first + len(_head(2, data_bytes)) + data_bytes
    return min(largest_bytes, even + -(even + OVERHEAD_BYTES) % GROUP_BYTES)


def status(path: str) -> Request:
    """Fs 8/1: the size of a file."""
    return Request(READ, FS_GROUP, 1, cbor2.dumps({"name": path}))


def file_hash(path: str, kind: str, length: int) -> Request:
    """Fs 8/2: ``sha256`` or ``crc32`` of a file, or of its first ``length`` bytes where it is longer."""
    return Request(READ, FS_GROUP, 2, cbor2.dumps({"name": path, "type": kind, "len": length}))


def close_file() -> Request:
    """Fs 8/4: let go of whatever transfer the key still has open."""
    return Request(WRITE, FS_GROUP, 4, _NOTHING)
