"""Checks the key reader's port: that it is there, permitted, free, and that a key answers."""

import asyncio
import grp
import os
import pwd
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from config import Settings
from drivers.smp.reader import SmpKeyReader
from station.app import reader_settings
from station.commands.doctor_checks.finding import Finding, fail, from_error, ok, warn
from station.ports import KeyFile, KeyLost, KeyRefused, ReaderLost

KEY_ANSWERS_S = 1.5


async def check_key_reader(settings: Settings, status: Mapping[str, Any] | None) -> list[Finding]:
    """Check that the port is there, permitted, free, answering. ``status``: of a running kiosk; None: none runs."""
    port = str(settings.key_reader.port)
    if status is not None:
        if status.get("reader") == "broken":
            return [fail("key reader", f"the kiosk cannot use {port}", "plug it in, or mend key_reader.port")]
        return [ok("key reader", f"{port} is in use by the kiosk")]
    if "://" not in port and (refused := _permission_fault(Path(port))) is not None:
        return [refused]
    reader = SmpKeyReader(reader_settings(settings))
    try:
        key = await asyncio.wait_for(reader.next_key(), KEY_ANSWERS_S)
        record = await key.read(KeyFile.ID)
    except (TimeoutError, KeyLost):
        if not reader.is_open:
            return [from_error("key reader", ReaderLost("port_stuck", port=port))]
        what = f"{port} can be opened; no key answers"
        return [warn("key reader", what, "press a key's button, put it in, and run this once more")]
    except (ReaderLost, KeyRefused) as error:
        return [from_error("key reader", error)]
    finally:
        await reader.close()
    if not record:
        what = f"{port}: a key answers that has no record in {settings.key_reader.folder}"
        return [warn("key reader", what, "hand it out (station key provision); if it has been, mend key_reader.folder")]
    return [ok("key reader", f"{port}: a key answers")]


def _permission_fault(port: Path) -> Finding | None:
    try:
        mode = port.stat()
    except OSError:
        return None  # opening it says why
    if not stat.S_ISCHR(mode.st_mode):
        return fail("key reader", f"{port} is no serial port", "mend key_reader.port (look in /dev/serial/by-id)")
    if os.access(port, os.R_OK | os.W_OK):
        return None
    group, user = str(mode.st_gid), str(os.geteuid())
    with suppress(KeyError):
        group = grp.getgrgid(mode.st_gid).gr_name
    with suppress(KeyError):
        user = pwd.getpwuid(os.geteuid()).pw_name
    return fail("key reader", f"{user} may not open {port}", f"usermod -aG {group} {user}, then log in anew")
