"""What is on the inserted key, and the hand-out of a new one.

The kiosk must be stopped, unless --state names an emulated key's folder: it has the key reader.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import config
from config import Credentials, Settings
from station import name_lookups
from station.app import Station
from station.commands import key_report
from station.commands.command_line import add_action, print_answer
from station.commands.inserted_key import (
    KeyContent,
    content_of_folder,
    emulated_key_folder,
    key_in_reader,
    trusted_central_keys,
    wait_for_key,
)
from station.ports import Json, KeyFile, KeyRefused, KeySession
from station.records.base64url import decoded
from station.records.claims import KeyRecord
from station.records.envelope import RecordError, verified, verify
from station.records.keys import PublicKey
from station.rules.facts import KeyClockState
from station.secret import Secret
from station.sync.client import CentralUnreachable

EXAMPLE = "examples: station key show --json\n          station key provision --code 0472918365"


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
        "example: station key provision --code 0472918365",
    )
    provision.add_argument("--code", required=True, help="the ten digits that central shows for the key")


def run(args: argparse.Namespace) -> int:
    """Show, or hand out."""
    settings = config.load(config.find(args.config))
    if args.action == "show":
        trusted_keys = name_lookups.run(trusted_central_keys(settings, Credentials.load(settings.storage.credentials)))
        fields = key_report.report(name_lookups.run(_read(settings, args.state)), trusted_keys)
        print_answer(args, "\n".join(key_report.lines(fields)), fields)
    else:
        fields = name_lookups.run(_provision(settings, Secret(args.code)))
        clock = "its clock is set" if fields["clock_set"] else "its clock is NOT set: no trusted time here"
        done = "handed out" if fields["written"] else "had been handed out already"
        print_answer(args, f"key {fields['key']} ({fields['kind']}, unit {fields['unit']}) {done}; {clock}", fields)
    return 0


async def _read(settings: Settings, state: Path | None) -> KeyContent:
    if state is not None:
        return content_of_folder(emulated_key_folder(state))
    return await key_in_reader(settings)


async def _provision(settings: Settings, code: Secret[str]) -> dict[str, Any]:
    station = await Station.open(settings)
    try:
        # The mirror first: a trusted time for the key's clock comes with it, and no code is spent in vain.
        await station.mirror.refresh()
        fields = await _write(station, await wait_for_key(station.reader), code)
        # Central tells all stations of a handed-out key; here it is to be known at once.
        await station.mirror.refresh()
        return fields
    finally:
        await station.close()


async def _write(station: Station, key: KeySession, code: Secret[str]) -> dict[str, Any]:
    """Raises CentralUnreachable, CentralRefused, KeyRefused, KeyLost, ReaderLost."""
    # A key handed out anew may still be on. As at any insertion, it is switched off before anything else.
    if await _anything(key, KeyFile.ACT):
        await key.clear(KeyFile.ACT)
        if await key.read(KeyFile.ACT):
            raise KeyRefused("act_not_cleared")
    trusted_keys = station.identity.central_keys
    there = verified(KeyRecord, await _id_on(key), trusted_keys)
    record, claims = _handed_out(await station.central.provision(code), trusted_keys)
    if there is not None and there.key != claims.key:
        raise KeyRefused("key_is_another", on_key=there.key, code_is_for=claims.key)
    written = not await key.holds(KeyFile.ID, record)
    if written:
        await key.write(KeyFile.ID, record)
        if await key.read(KeyFile.ID) != record:
            raise KeyRefused("id_differs")
    clock_set = station.time.now().trust is not None and (await key.clock()).state is not KeyClockState.ABSENT
    if clock_set:
        await key.set_clock(station.time.now().unix_s)
    return {
        "key": claims.key,
        "kind": claims.kind.name.lower(),
        "unit": claims.unit,
        "holder": claims.holder,
        "written": written,
        "clock_set": clock_set,
    }


def _handed_out(found: Mapping[str, Json], trusted_keys: Sequence[PublicKey]) -> tuple[bytes, KeyRecord]:
    """The record in central's answer, verified. Raises CentralUnreachable for an answer that is none."""
    try:
        record = decoded(str(found["record"]))
        claims = verify(KeyRecord, record, trusted_keys)
    except (KeyError, ValueError, RecordError):
        raise CentralUnreachable("central_answer_malformed", answer="Provisioned") from None
    return record, claims


async def _id_on(key: KeySession) -> bytes:
    try:
        return await key.read(KeyFile.ID)
    except KeyRefused as error:
        if error.code == "too_large":
            return b""
        raise


async def _anything(key: KeySession, file: KeyFile) -> bool:
    try:
        return bool(await key.read(file))
    except KeyRefused as error:
        if error.code == "too_large":
            return True
        raise
