"""Reads and writes on the key link against those of two other SMP clients, on the same emulated line."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from drivers.emulated_key.folder import KeyFolder
from drivers.smp.reader import SmpKeyReader
from station.bench.figures import Found, NotMeasured, Say, paired
from station.bench.key_line import KeyLine
from station.ports import KeyFile, ReaderSettings

CONTENT = bytes(range(250)) * 2
"""500 bytes: about a permit with forty locks."""
NAME = "/lfs1/permit"
TIMEOUT_S = 2.0


def measured(name: str, samples: int, say: Say) -> Found:
    """One of `OTHERS`: a write and a read of 500 bytes each, in turn."""
    package, other = OTHERS[name]
    shown = package.replace("_", "-")
    if find_spec(package) is None:
        return NotMeasured(f"not installed: {shown}")
    say(f"transfers beside {shown}")
    with tempfile.TemporaryDirectory(prefix="station-bench-") as folder:
        return _compared(Path(folder), other, samples)


def _compared(folder: Path, other: Callable[[str], Coroutine[None, None, float]], samples: int) -> Found:
    key = folder / "key"
    KeyFolder(key).store(KeyFile.PERMIT.value, CONTENT)
    ours, against = [], []
    with KeyLine(folder / "port") as line:
        for _ in range(samples):
            line.insert(key)
            ours.append(1000 * asyncio.run(_ours(str(line.link))))
            line.insert(key)
            against.append(1000 * asyncio.run(other(str(line.link))))
    return paired(ours, against, "ms")


async def _ours(port: str) -> float:
    reader = SmpKeyReader(ReaderSettings(port))
    try:
        session = await reader.next_key()
        await session.write(KeyFile.CERT, CONTENT)  # asks for the key's buffer, as the others do when they connect
        began = time.perf_counter()
        await session.write(KeyFile.PERMIT, CONTENT)
        _check(await session.read(KeyFile.PERMIT))
        return time.perf_counter() - began
    finally:
        await reader.close()


async def _mcumgr_toolkit(port: str) -> float:
    from mcumgr_toolkit import MCUmgrClient  # noqa: PLC0415, it may not be installed

    with MCUmgrClient.serial(port, 115200, int(1000 * TIMEOUT_S)) as client:
        client.use_auto_frame_size()
        client.fs_file_upload("/lfs1/cert", CONTENT)
        began = time.perf_counter()
        client.fs_file_upload(NAME, CONTENT)
        _check(client.fs_file_download(NAME))
        ended = time.perf_counter()
    return ended - began


async def _smpclient(port: str) -> float:
    from smpclient import SMPClient  # noqa: PLC0415, it may not be installed
    from smpclient.transport.serial import SMPSerialTransport  # noqa: PLC0415

    async with SMPClient(SMPSerialTransport(), port, TIMEOUT_S) as client:
        async for _ in client.upload_file(CONTENT, "/lfs1/cert"):
            pass
        began = time.perf_counter()
        async for _ in client.upload_file(CONTENT, NAME):
            pass
        _check(await client.download_file(NAME))
        return time.perf_counter() - began


def _check(content: bytes) -> None:
    if content != CONTENT:
        raise ValueError("a transfer was not true to its content")


OTHERS: Final[Mapping[str, tuple[str, Callable[[str], Coroutine[None, None, float]]]]] = {
    "transfer_vs_mcumgr_toolkit": ("mcumgr_toolkit", _mcumgr_toolkit),
    "transfer_vs_smpclient": ("smpclient", _smpclient),
}
"""By the figure: the package of the other client, and what takes its time."""
