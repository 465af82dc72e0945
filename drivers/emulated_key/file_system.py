"""File transfers as Zephyr's ``fs_mgmt.c`` does them, with every quirk that a client has to live with.

* An upload at offset 0 truncates at once; one of no bytes changes nothing and answers success.
* The offset of an upload counts on until the file is closed, also when the client starts over at 0.
* A file that is empty on disk is not truncated again: what a broken upload left in it stays in front.
* A file is committed when it is complete, closed, idle for 4 s, or when another transfer begins.
"""

import hashlib
import zlib
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from drivers.emulated_key.folder import KeyFolder, is_file_name
from drivers.emulated_key.options import KeyOptions

EINVAL: Final = 3
ENOENT: Final = 5
UNKNOWN: Final = 1
FS_GROUP: Final = 8

FILE_INVALID_NAME: Final = 2
FILE_NOT_FOUND: Final = 3
FILE_WRITE_FAILED: Final = 10
FILE_OFFSET_NOT_VALID: Final = 11
OFFSET_LARGER_THAN_FILE: Final = 12
HASH_NOT_FOUND: Final = 13
MOUNT_POINT_NOT_FOUND: Final = 14
FILE_EMPTY: Final = 16

DOWNLOAD_OVERHEAD_BYTES: Final = 44
_MAX_PATH: Final = 64


class SmpError(Exception):
    """An error to answer: of a group, or (None) of SMP itself; ``extra`` goes beside it into the answer."""

    def __init__(self, group: int | None, rc: int, **extra: int) -> None:
        super().__init__(group, rc)
        self.group = group
        self.rc = rc
        self.extra = extra


class NoAnswer(Exception):
    """The answer would take longer than anyone waits."""


class _Use(Enum):
    UPLOAD = "upload"
    DOWNLOAD = "download"


@dataclass(slots=True)
class _OpenFile:
    use: _Use
    path: str
    name: str
    content: bytearray
    position: int = 0
    offset: int = 0
    """The offset that the next request is expected at."""
    length: int = 0
    """What the client said the whole is long; 0: not known."""
    dirty: bool = False
    touched_at: float = 0.0


class FileSystem:
    """The one file that may be open for a transfer, over the committed files in a folder."""

    def __init__(self, folder: KeyFolder, options: KeyOptions) -> None:
        self._folder = folder
        self.options = options
        self._open: _OpenFile | None = None

    @property
    def is_open(self) -> bool:
        """Whether a transfer is open (and would be committed when idle)."""
        return self._open is not None

    def close(self) -> None:
        """Close the open file, and so commit it."""
        if self._open is not None:
            if self._open.dirty:
                self._folder.store(self._open.name, bytes(self._open.content))
            self._open = None

    def forget(self) -> None:
        """Drop the open file, as when the power is cut: what was not committed never was."""
        self._open = None

    def close_idle(self, now: float) -> None:
        """Close the open file if nobody has touched it for a while."""
        if self._open is not None and now - self._open.touched_at >= self.options.idle_close_s:
            self.close()

    def download(self, body: dict[str, Any], now: float) -> dict[str, Any]:
        """Answer a download (group 8, command 0, read)."""
        path, offset = _path_of(body), _uint(body, "off")
        if self._open is None or self._open.use is not _Use.DOWNLOAD or self._open.path != path:
            self.close()
            name = self._name(path, FILE_NOT_FOUND)
            content = self._committed(name)
            self._open = _OpenFile(_Use.DOWNLOAD, path, name, bytearray(content), length=len(content))
        file = self._open
        data = bytes(file.content[offset : offset + self.options.buffer_bytes - DOWNLOAD_OVERHEAD_BYTES])
        file.offset = offset + len(data)
        answer: dict[str, Any] = {"off": offset, "data": data}
        if offset == 0:
            answer["len"] = file.length
        self._finish_check(file, now)
        return answer

    def upload(self, body: dict[str, Any], now: float) -> dict[str, Any]:
        """Answer an upload (group 8, command 0, write)."""
        path, offset = _path_of(body), _uint(body, "off")
        data = body.get("data", b"")
        length = body.get("len")
        if not isinstance(data, bytes) or (offset == 0 and type(length) is not int):
            raise SmpError(None, EINVAL)
        if self._open is None or self._open.use is not _Use.UPLOAD or self._open.path != path:
            self.close()
            self._open = self._opened_for_upload(path)
        file = self._open
        on_disk = self._folder.stored(file.name) or b""
        if offset == 0 and isinstance(length, int):
            file.length = length
        elif offset and file.offset == 0:
            file.offset = len(on_disk)
        if offset and offset != file.offset:
            expected = file.offset
            self.close()
            raise SmpError(FS_GROUP, FILE_OFFSET_NOT_VALID, len=expected)
        if data:
            self._write(file, offset, data, truncates=bool(on_disk))
        answer = {"off": file.offset}
        self._finish_check(file, now)
        return answer

    def status(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer the length of what is committed (group 8, command 1)."""
        return {"len": len(self._committed(self._name(_path_of(body), FILE_NOT_FOUND)))}

    def hash(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer a hash of what is committed (group 8, command 2): ``crc32`` unless another type is asked for."""
        path = _path_of(body)
        kind = body.get("type", self.options.hashes[0] if self.options.hashes else "")
        if kind not in self.options.hashes:
            raise SmpError(FS_GROUP, HASH_NOT_FOUND)
        content = self._committed(self._name(path, FILE_NOT_FOUND))
        offset = _uint(body, "off") if "off" in body else 0
        if len(content) <= offset:
            raise SmpError(FS_GROUP, FILE_EMPTY if not content else OFFSET_LARGER_THAN_FILE)
        content = content[offset : offset + _uint(body, "len") if "len" in body else None]
        if self.options.hash_limit_bytes is not None and len(content) > self.options.hash_limit_bytes:
            raise NoAnswer
        output = hashlib.sha256(content).digest() if kind == "sha256" else zlib.crc32(content)
        answer: dict[str, Any] = {"type": kind}
        if offset:
            answer["off"] = offset
        return answer | {"len": len(content), "output": output}

    def _write(self, file: _OpenFile, offset: int, data: bytes, *, truncates: bool) -> None:
        if self.options.read_only:
            self.close()
            raise SmpError(FS_GROUP, FILE_WRITE_FAILED)
        if offset == 0 and truncates:
            file.content.clear()
            file.position = 0
            file.dirty = True
        elif file.position != offset:
            file.position = len(file.content)
        size = file.position + len(data)
        if size + self._folder.used_bytes(without=file.name) > self.options.capacity_bytes:
            self.close()
            raise SmpError(FS_GROUP, FILE_WRITE_FAILED)
        file.content[file.position : size] = data
        file.position = size
        file.offset += len(data)
        file.dirty = True

    def _opened_for_upload(self, path: str) -> _OpenFile:
        name = self._name(path, MOUNT_POINT_NOT_FOUND)
        on_disk = self._folder.stored(name)
        if on_disk is None and not self.options.read_only:
            self._folder.store(name, b"")
        return _OpenFile(_Use.UPLOAD, path, name, bytearray(on_disk or b""))

    def _finish_check(self, file: _OpenFile, now: float) -> None:
        file.touched_at = now
        if file.length and file.offset >= file.length:
            self.close()

    def _committed(self, name: str) -> bytes:
        content = self._folder.stored(name)
        if content is None:
            raise SmpError(FS_GROUP, FILE_NOT_FOUND)
        return content

    def _name(self, path: str, elsewhere: int) -> str:
        folder, _, name = path.rpartition("/")
        if folder != self.options.folder:
            raise SmpError(FS_GROUP, elsewhere)
        if not is_file_name(name):
            raise SmpError(FS_GROUP, FILE_INVALID_NAME)
        return name


def _path_of(body: dict[str, Any]) -> str:
    path = body.get("name")
    if not isinstance(path, str) or not 0 < len(path) <= _MAX_PATH:
        raise SmpError(None, EINVAL)
    return path


def _uint(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    if type(value) is not int or value < 0:
        raise SmpError(None, EINVAL)
    return value
