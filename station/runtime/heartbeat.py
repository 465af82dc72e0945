"""Beats to the supervisor, as long as everything that a visit needs still turns."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence

DESCRIPTOR_VARIABLE = "STATION_HEARTBEAT_FD"
REASONS_VARIABLE = "STATION_START_REASONS"
REASONS = ("power", "chord", "watchdog", "crash", "update")
BEAT_EVERY_S = 1.0
"""The supervisor restarts after 5 s of silence."""
TURN_LIMIT_S = 10.0
"""A key reader behind a network address may take 5 s to be found missing."""
LOOK_EVERY_S = 0.25

Proof = Callable[[], Awaitable[None]]
"""Returns once a part has shown that it turns; never, when it is stuck."""


class Heartbeat:
    """Writes a byte to ``descriptor`` (a pipe) each time that all ``proofs`` have been given. `run` until cancelled."""

    def __init__(self, descriptor: int, proofs: Sequence[Proof]) -> None:
        os.set_blocking(descriptor, False)
        os.set_inheritable(descriptor, False)  # noqa: FBT003, positional only
        self._descriptor = descriptor
        self._proofs = proofs

    async def run(self) -> None:
        """Beat for ever. An exception of a proof ends it."""
        while True:
            for proof in self._proofs:
                await proof()
            # A supervisor that does not read, or is gone, is not ours to mend.
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                os.write(self._descriptor, b".")
            await asyncio.sleep(BEAT_EVERY_S)


def turning(turned_at: Callable[[], float]) -> Proof:
    """The proof of a loop that notes the event loop's time at each turn."""

    async def proof() -> None:
        loop = asyncio.get_running_loop()
        while loop.time() - turned_at() > TURN_LIMIT_S:  # noqa: ASYNC110, it shall not know who waits
            await asyncio.sleep(LOOK_EVERY_S)

    return proof


def answered(ask: Callable[[Callable[[], object]], object]) -> Proof:
    """The proof of whoever calls back what it is given, as a message queue does with what is put into it."""

    async def proof() -> None:
        event = asyncio.Event()
        ask(event.set)
        await event.wait()

    return proof


def descriptor_of(environment: Mapping[str, str]) -> int | None:
    """The pipe that the supervisor has handed us; None without a supervisor."""
    try:
        descriptor = int(environment.get(DESCRIPTOR_VARIABLE, ""))
        os.fstat(descriptor)
    except (ValueError, OSError, OverflowError):
        return None
    return descriptor


def reasons_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Why we were started, the oldest reason first; without a supervisor: ``power``."""
    named = environment.get(REASONS_VARIABLE, "").split(",")
    return tuple(reason for reason in named if reason in REASONS)[: len(REASONS)] or ("power",)
