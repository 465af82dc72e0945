"""What is on the inserted key, and the hand-out of a new one.

The kiosk must be stopped, unless --state names an emulated key's folder: it has the key reader.
"""

import argparse
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
from station.key.hand_out import hand_out
from station.ports import KeySession
from station.secret import Secret

ANSWER_WITHIN_S = 60.0
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
    done = await hand_out(
        key,
        code,
        station.central,
        station.identity,
        station.time,
        answer_within_s=ANSWER_WITHIN_S,
        # Nobody but a technician can mend a torn record, and does so with this.
        at_one_stroke=False,
    )
    return {
        "key": done.record.key,
        "kind": done.record.kind.name.lower(),
        "unit": done.record.unit,
        "holder": done.record.holder,
        "written": done.written,
        "clock_set": done.clock_set,
    }
