"""A SQLite VFS that notes what reaches the disk, and when the disk has promised to keep it.

It wraps the platform's own VFS in the very library that Python's ``sqlite3`` uses (by ctypes), so that the real cache
code runs unchanged. Sources: SQLite's ``sqlite3_vfs`` and ``sqlite3_io_methods`` (https://sqlite.org/c3ref/vfs.html).
"""

import ctypes
import ctypes.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_int, _ptr, _i64 = ctypes.c_int, ctypes.c_void_p, ctypes.c_int64
# The name as a pointer: SQLite keeps it for as long as the file is open, a copy would be gone by then.
_Open = ctypes.CFUNCTYPE(_int, _ptr, _ptr, _ptr, _int, ctypes.POINTER(_int))
_Delete = ctypes.CFUNCTYPE(_int, _ptr, ctypes.c_char_p, _int)
_Write = ctypes.CFUNCTYPE(_int, _ptr, _ptr, _int, _i64)
_Truncate = ctypes.CFUNCTYPE(_int, _ptr, _i64)
_Sync = ctypes.CFUNCTYPE(_int, _ptr, _int)


class _Methods(ctypes.Structure):
    _fields_ = [
        ("iVersion", _int),
        ("xClose", _ptr),
        ("xRead", _ptr),
        ("xWrite", _ptr),
        ("xTruncate", _ptr),
        ("xSync", _ptr),
        # xFileSize … xUnfetch (version 3): passed through as they are.
        ("rest", _ptr * 13),
    ]


class _File(ctypes.Structure):
    _fields_ = [("pMethods", ctypes.POINTER(_Methods))]


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("iVersion", _int),
        ("szOsFile", _int),
        ("mxPathname", _int),
        ("pNext", _ptr),
        ("zName", ctypes.c_char_p),
        ("pAppData", _ptr),
        ("xOpen", _ptr),
        ("xDelete", _ptr),
        # xAccess … xNextSystemCall (version 3).
        ("rest", _ptr * 14),
    ]


@dataclass(frozen=True, slots=True)
class Written:
    """``data`` went to ``file`` at ``offset``; until the file's next `Synced` the disk may or may not have it."""

    file: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    """``file`` was cut to ``size`` bytes."""

    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    """Everything written to ``file`` before is on the disk."""

    file: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """``file`` is gone."""

    file: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The cache has told its caller that change number ``number`` is durable."""

    number: int


Op = Written | Truncated | Synced | Deleted | Acknowledged


def library() -> ctypes.CDLL | None:
    """The SQLite library behind ``sqlite3``; None where Python has it built in and ctypes cannot reach it."""
    name = ctypes.util.find_library("sqlite3")
    if name is None:
        return None
    found = ctypes.CDLL(name)
    import _sqlite3

    linked = Path(_sqlite3.__file__).read_bytes() if getattr(_sqlite3, "__file__", None) else b""
    return found if name.encode() in linked else None


@contextmanager
def recording(lib: ctypes.CDLL, ops: list[Op]) -> Iterator[None]:
    """While inside, every database that is opened writes to ``ops`` as well as to the disk."""
    lib.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    real = lib.sqlite3_vfs_find(None)
    kept: list[Any] = []
    tables: dict[int, Any] = {}
    names: dict[int, str] = {}

    def methods_of(theirs: Any) -> Any:
        """The platform's methods, with ours before those that write."""
        address = ctypes.addressof(theirs.contents)
        if address in tables:
            return tables[address]
        ours = _Methods.from_buffer_copy(theirs.contents)
        write, truncate, sync = _Write(ours.xWrite), _Truncate(ours.xTruncate), _Sync(ours.xSync)

        def on_write(file: int, data: int, size: int, offset: int) -> int:
            ops.append(Written(names[file], offset, ctypes.string_at(data, size)))
            return int(write(file, data, size, offset))

        def on_truncate(file: int, size: int) -> int:
            ops.append(Truncated(names[file], size))
            return int(truncate(file, size))

        def on_sync(file: int, flags: int) -> int:
            result = int(sync(file, flags))
            ops.append(Synced(names[file]))
            return result

        wrapped = [_Write(on_write), _Truncate(on_truncate), _Sync(on_sync)]
        kept.extend([ours, *wrapped])
        ours.xWrite, ours.xTruncate, ours.xSync = (ctypes.cast(f, _ptr).value for f in wrapped)
        tables[address] = ours
        return ours

    real_open, real_delete = _Open(real.contents.xOpen), _Delete(real.contents.xDelete)

    def on_open(_vfs: int, name: int | None, file: int, flags: int, out: Any) -> int:
        result = int(real_open(ctypes.addressof(real.contents), name, file, flags, out))
        handle = _File.from_address(file)
        if result == 0 and name is not None and handle.pMethods:
            names[file] = Path(ctypes.string_at(name).decode()).name
            handle.pMethods = ctypes.pointer(methods_of(handle.pMethods))
        return result

    def on_delete(_vfs: int, name: bytes, flags: int) -> int:
        ops.append(Deleted(Path(name.decode()).name))
        return int(real_delete(ctypes.addressof(real.contents), name, flags))

    ours = _Vfs.from_buffer_copy(real.contents)
    callbacks = [_Open(on_open), _Delete(on_delete)]
    ours.zName = b"recording"
    ours.pNext = None
    ours.xOpen, ours.xDelete = (ctypes.cast(f, _ptr).value for f in callbacks)
    kept.extend([ours, *callbacks])
    lib.sqlite3_vfs_register(ctypes.byref(ours), 1)
    try:
        yield
    finally:
        lib.sqlite3_vfs_unregister(ctypes.byref(ours))
        lib.sqlite3_vfs_register(real, 1)
        # A connection that is closed later still calls these.
        _KEPT.append(kept)


_KEPT: list[Any] = []
