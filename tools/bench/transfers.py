"""Reads and writes on the key link against those of two other SMP clients, on the same emulated line."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Final

from mcumgr_toolkit import MCUmgrClient
from smpclient import SMPClient
from smpclient.transport.serial import SMPSerialTransport

from drivers.emulated_key.folder import KeyFolder
from drivers.smp.reader import SmpKeyReader
from station.ports import KeyFile, ReaderSettings
from tools.bench.figures import Figure, paired
from tools.bench.line import BAUD, KeyLine

CONTENT = bytes(range(250)) * 2
"""500 bytes: about a permit with forty locks."""
WARM_UP, NAME = "/lfs1/cert", "/lfs1/permit"
TIMEOUT_S = 2.0


def measured(name: str, samples: int) -> Figure:
    """One of `OTHERS`: a write and a read of 500 bytes each, in turn."""
    ours: list[float] = []
    against: list[float] = []
    with tempfile.TemporaryDirectory(prefix="station-bench-") as inside:
        folder = Path(inside)
        KeyFolder(folder / "key").store(KeyFile.PERMIT.value, CONTENT)
        with KeyLine(folder / "port") as line:
            for _ in range(samples):
                for client, took_ms in ((_ours, ours), (OTHERS[name], against)):
                    line.insert(folder / "key")
                    took_ms.append(1000 * asyncio.run(client(str(line.link))))
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
    with MCUmgrClient.serial(port, BAUD, int(1000 * TIMEOUT_S)) as client:
        client.use_auto_frame_size()
        client.fs_file_upload(WARM_UP, CONTENT)
        began = time.perf_counter()
        client.fs_file_upload(NAME, CONTENT)
        _check(client.fs_file_download(NAME))
        ended = time.perf_counter()
    return ended - began  # here, because the client's type says that it may swallow exceptions


async def _smpclient(port: str) -> float:
    async with SMPClient(SMPSerialTransport(), port, TIMEOUT_S) as client:
        async for _ in client.upload_file(CONTENT, WARM_UP):
            pass
        began = time.perf_counter()
        async for _ in client.upload_file(CONTENT, NAME):
            pass
        _check(await client.download_file(NAME))
        return time.perf_counter() - began


def _check(content: bytes) -> None:
    if content != CONTENT:
        raise ValueError("a transfer was not true to its content")


OTHERS: Final[Mapping[str, Callable[[str], Coroutine[None, None, float]]]] = {
    "transfer_vs_mcumgr_toolkit": _mcumgr_toolkit,
    "transfer_vs_smpclient": _smpclient,
}
"""By the figure: what takes the time of the other client."""
