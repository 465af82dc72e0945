"""An event loop whose name look-ups delay nothing: a name server that never answers keeps each for half a minute."""

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

from station.daemon_threads import DaemonThreads

T = TypeVar("T")

_THREADS = DaemonThreads("name-lookup")


class StationLoop(asyncio.SelectorEventLoop):
    """Looks names up in threads that nobody waits for.

    asyncio's own are those of its executor: all other work in threads waits behind them, and so does the end of the
    program, for as long as the name server is silent.
    """

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002, it is asyncio's name
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        """See `asyncio.loop.getaddrinfo`. Raises OSError."""
        try:
            return await self.run_in_executor(_THREADS, socket.getaddrinfo, host, port, family, type, proto, flags)
        except RuntimeError as error:
            raise socket.gaierror(socket.EAI_AGAIN, "too many look-ups hang") from error


def run(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, in a `StationLoop`."""
    with asyncio.Runner(loop_factory=StationLoop) as runner:
        return runner.run(main)
