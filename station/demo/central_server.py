"""The demonstration's central server: real processes of the `central` command, on a folder of their own."""

import asyncio
import ctypes
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from station.errors import StationError
from station.secret import Secret

START_LIMIT_S = 60.0
LINE_LIMIT_BYTES = 64 * 1024
SAMPLE_LIMIT_BYTES = 1024 * 1024
READING = ("--cause", "technical", "--reason", "the demonstration keeps its own books")
"""Why it reads what stations report: central asks, and keeps the answer."""
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_SERVING = re.compile(rb"http://127\.0\.0\.1:(\d+)")


class DemoFault(StationError):
    """A part of the demonstration did not start, or would not do what a scenario asks of it."""


class CentralServer:
    """A central server in ``folder``. `prepare` and `serve` it, `close` it; `manage` is what a coordinator does."""

    def __init__(self, folder: Path, keys_folder: Path) -> None:
        self.folder = folder
        self._keys_folder = keys_folder
        self._log = folder.with_name("central.log")
        self._sample_file = folder.with_name("sample.json")
        self._offset_file = folder.with_name("clock-offset")
        self._serving: asyncio.subprocess.Process | None = None
        self._begun: asyncio.StreamReader | None = None
        """What a process has to say that `begin` has started, and that nobody has heard yet."""
        self._following: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()
        self._first_code: tuple[int, Secret[str]] | None = None
        """Station 1's enrolment code of a folder that has just been seeded."""
        self.events: list[Mapping[str, Any]] = []
        """Every event that central has taken in, in its order; empty until `follow`."""

    # --- beginning and end ---

    async def prepare(self) -> Mapping[str, Any]:
        """Seed the folder, unless that has been done; the sample data. Raises DemoFault."""
        self.set_clock_ahead(self.clock_ahead_s())
        if not self._sample_file.exists():
            self._keep_sample(await self.command("seed", "--keys", str(self._keys_folder), "--json"))
        sample: Mapping[str, Any] = json.loads(self._sample_file.read_bytes())
        return sample

    async def prepare_and_serve(self) -> tuple[Mapping[str, Any], int]:
        """Seed the folder, unless that has been done, and serve it: the sample data, and the port. Raises DemoFault."""
        if self._begun is None:
            await self.begin()
        output, self._begun = self._begun, None
        assert output is not None
        if not self._sample_file.exists():
            with suppress(TimeoutError, ValueError):
                async with asyncio.timeout(START_LIMIT_S):
                    self._keep_sample((await output.readline()).decode())
        if not self._sample_file.exists():
            raise DemoFault("central_not_started", log=self._log)
        return await self.prepare(), await self._serving_port(output)

    async def begin(self) -> None:
        """Start what `prepare_and_serve` waits for: whoever has something to do meanwhile does this first."""
        self.set_clock_ahead(self.clock_ahead_s())
        words: tuple[str, ...] = ("serve", "--data", str(self.folder), "--port", "0")
        if not self._sample_file.exists():
            # One process, as each needs most of a second to start.
            words = ("seed", "--data", str(self.folder), "--keys", str(self._keys_folder), "--json", "--serve", "0")
        self._begun = await self._start_serving(*words)

    def _keep_sample(self, answer: str) -> None:
        """Raises ValueError for what is no sample."""
        code = Secret(str(json.loads(answer)["enrol_code"]))
        # Sample PINs and a password, all invented; still nobody else's to read.
        descriptor = os.open(self._sample_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(answer.encode())
        self._first_code = 1, code

    async def close(self) -> None:
        """End its processes."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
        if self._following is not None:
            with suppress(ProcessLookupError):
                self._following.terminate()
            await self._following.wait()
        await self.stop_serving()

    # --- time ---

    def clock_ahead_s(self) -> float:
        """What has been skipped, also in an earlier run on the same folder."""
        try:
            return float(self._offset_file.read_text("ascii"))
        except FileNotFoundError:
            return 0.0

    def set_clock_ahead(self, seconds: float) -> None:
        """Put central's clock so far ahead of the machine's."""
        draft = self._offset_file.with_suffix(".new")
        draft.write_text(f"{seconds}", "ascii")
        draft.replace(self._offset_file)

    # --- what a coordinator does ---

    async def manage(self, command: str, *arguments: str) -> str:
        """Run ``central manage``; what it said. Raises DemoFault with its complaint."""
        return (await self.command("manage", command, *arguments)).strip()

    async def enrolment_code(self, station: int) -> Secret[str]:
        """A one-time code for a station. Raises DemoFault."""
        if self._first_code is not None and self._first_code[0] == station:
            code, self._first_code = self._first_code[1], None
            return code
        return Secret((await self.command("enrol-code", "--station", str(station))).strip())

    async def provision_code(self, key: int) -> Secret[str]:
        """A one-time code for handing out a key. Raises DemoFault."""
        return Secret((await self.command("provision-code", "--key", str(key))).strip())

    # --- its events ---

    async def follow(self) -> None:
        """Have `events` filled from now on."""
        if self._following is not None:
            return
        with self._log.open("ab") as log:
            self._following = await self._process(
                "manage",
                "--data",
                str(self.folder),
                "events",
                "--follow",
                *READING,
                "--json",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=LINE_LIMIT_BYTES,
            )
        self._reading = asyncio.create_task(self._read_events())

    async def wait_for_more_events(self, count: int) -> None:
        """Wait until there are more events than ``count``."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.events) > count)

    async def _read_events(self) -> None:
        assert self._following is not None
        assert self._following.stdout is not None
        while line := await self._following.stdout.readline():
            async with self._news:
                self.events.append(json.loads(line))
                self._news.notify_all()

    # --- processes ---

    async def serve(self) -> int:
        """Serve the prepared folder; on which port. Raises DemoFault."""
        return await self._serving_port(await self._start_serving("serve", "--data", str(self.folder), "--port", "0"))

    async def _start_serving(self, *words: str) -> asyncio.StreamReader:
        """Start the process that is going to serve; its output."""
        with self._log.open("ab") as log:
            self._serving = await self._process(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=SAMPLE_LIMIT_BYTES,
            )
        assert self._serving.stdout is not None
        return self._serving.stdout

    async def _serving_port(self, output: asyncio.StreamReader) -> int:
        with suppress(TimeoutError):
            async with asyncio.timeout(START_LIMIT_S):
                while line := await output.readline():
                    if found := _SERVING.search(line):
                        return int(found[1])
        raise DemoFault("central_not_started", log=self._log)

    async def stop_serving(self) -> None:
        """End the server alone, as `serve` began it."""
        if self._serving is not None:
            with suppress(ProcessLookupError):
                self._serving.terminate()
            await self._serving.wait()
            self._serving = None

    async def command(self, name: str, *arguments: str) -> str:
        """Run ``central NAME`` on the folder; what it said. Raises DemoFault with its complaint."""
        process = await self._process(
            name,
            "--data",
            str(self.folder),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(START_LIMIT_S):
                answer, complaint = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise DemoFault("central_does_not_answer", command=name) from None
        if process.returncode:
            with self._log.open("ab") as log:
                log.write(complaint)
            last = complaint.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise DemoFault("central_refuses", reason="".join(last))
        return answer.decode("utf-8")

    async def _process(self, *words: str, **how: Any) -> asyncio.subprocess.Process:
        environment = os.environ | {"CENTRAL_CLOCK_OFFSET_FILE": str(self._offset_file)}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "central.cli",
            *words,
            env=environment,
            # Ctrl+C at the demonstration's terminal is the demonstration's, which then ends central.
            start_new_session=True,
            preexec_fn=_end_with_parent,
            **how,
        )


def _end_with_parent() -> None:
    """However the demonstration ends, also by kill -9 or with its terminal: its central server ends too (prctl(2))."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
