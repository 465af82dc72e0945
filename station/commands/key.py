"""What is on the inserted key, and the hand-out of a new one.

The kiosk must be stopped, unless --state names an emulated key's folder: it has the key reader.
"""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import config
from config import Credentials, Settings
from station.app import Station
from station.cli import add_action, answer
from station.commands import key_report
from station.commands.believed_keys import central_keys
from station.commands.inserted_key import (
    KEY_WAIT_S,
    KeyContent,
    content_of,
    emulated,
    key_in_reader,
    wait_for_key,
)
from station.core.facts import KeyClockState
from station.ports import Json, KeyFile, KeyRefused, KeySocket
from station.records.base64url import decoded
from station.records.claims import KeyRecord
from station.records.envelope import RecordError, verified, verify
from station.records.keys import PublicKey
from station.secret import Secret
from station.services.central_link import CentralUnreachable

EXAMPLE = "examples: station key show --json\n          station key provision --code 3RK7-9XWQ2M4TBA"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="show|provision")
    show = add_action(
        actions, "show", "what is on the inserted key, decoded and verified", "example: station key show --json"
    )
    show.add_argument("--state", type=Path, metavar="DIR", help="an emulated key's folder instead of the reader")
    provision = add_action(
        actions,
        "provision",
        "hand out a key: write its record, set its clock",
        "example: station key provision --code 3RK7-9XWQ2M4TBA",
    )
    provision.add_argument("--code", required=True, help="the one-time code that central shows for the key")


def run(args: argparse.Namespace) -> int:
    """Show, or hand out."""
    settings = config.load(config.find(args.config))
    if args.action == "show":
        believed = asyncio.run(central_keys(settings, Credentials.load(settings.storage.credentials)))
        fields = key_report.report(asyncio.run(_read(settings, args.state)), believed)
        answer(args, "\n".join(key_report.lines(fields)), fields)
    else:
        fields = asyncio.run(_provision(settings, Secret(args.code)))
        clock = "its clock is set" if fields["clock_set"] else "its clock is NOT set: no trusted time here"
        done = "handed out" if fields["written"] else "had been handed out already"
        answer(args, f"key {fields['key']} ({fields['kind']}, unit {fields['unit']}) {done}; {clock}", fields)
    return 0


async def _read(settings: Settings, state: Path | None) -> KeyContent:
    if state is not None:
        return content_of(emulated(state))
    return await key_in_reader(settings)


async def _provision(settings: Settings, code: Secret[str]) -> dict[str, Any]:
    station = await Station.open(settings)
    socket = station.key_socket()
    try:
        # The mirror first: a trusted time for the key's clock comes with it, and no code is spent in vain.
        await station.mirroring.refresh()
        await wait_for_key(socket, KEY_WAIT_S)
        fields = await _write(station, socket, code)
        # Central tells all stations of a handed-out key; here it is to be known at once.
        await station.mirroring.refresh()
        return fields
    finally:
        await socket.close()
        await station.close()


async def _write(station: Station, socket: KeySocket, code: Secret[str]) -> dict[str, Any]:
    """Raises CentralUnreachable, CentralRefused, KeyRefused, KeyLost, ReaderLost."""
    # A key handed out anew may still be on. As at any insertion, it is switched off before anything else.
    if await _anything(socket, KeyFile.ACT):
        await socket.clear(KeyFile.ACT)
        if await socket.read(KeyFile.ACT):
            raise KeyRefused("act_not_cleared")
    believed = station.identity.central_keys
    there = verified(KeyRecord, await _id_on(socket), believed)
    record, claims = _handed_out(await station.link.provision(code), believed)
    if there is not None and there.key != claims.key:
        raise KeyRefused("key_is_another", on_key=there.key, code_is_for=claims.key)
    written = not await socket.holds(KeyFile.ID, record)
    if written:
        await socket.write(KeyFile.ID, record)
        if await socket.read(KeyFile.ID) != record:
            raise KeyRefused("id_differs")
    clock_set = station.time.now().trust is not None and (await socket.clock()).state is not KeyClockState.ABSENT
    if clock_set:
        await socket.set_clock(station.time.now().unix_s)
    return {
        "key": claims.key,
        "kind": claims.kind.name.lower(),
        "unit": claims.unit,
        "holder": claims.holder,
        "written": written,
        "clock_set": clock_set,
    }


def _handed_out(found: Mapping[str, Json], believed: Sequence[PublicKey]) -> tuple[bytes, KeyRecord]:
    """The record in central's answer, verified. Raises CentralUnreachable for an answer that is none."""
    try:
        record = decoded(str(found["record"]))
        claims = verify(KeyRecord, record, believed)
    except (KeyError, ValueError, RecordError):
        raise CentralUnreachable("central_answer_malformed", answer="Provisioned") from None
    return record, claims


async def _id_on(socket: KeySocket) -> bytes:
    try:
        return await socket.read(KeyFile.ID)
    except KeyRefused as error:
        if error.code == "too_large":
            return b""
        raise


async def _anything(socket: KeySocket, file: KeyFile) -> bool:
    try:
        return bool(await socket.read(file))
    except KeyRefused as error:
        if error.code == "too_large":
            return True
        raise
