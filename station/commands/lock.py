"""What a lock would decide about a key: `station lock try`.

With --state it looks at the emulated key in that folder, else at the key in the reader. --record writes the lock's
entry to the key's log, as a lock does.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import config
from config import Credentials
from drivers.emulated_key.folder import KeyFolder
from drivers.smp.key_socket import SmpKeySocket
from station.cli import UsageError
from station.core.facts import KeyClock, KeyClockState
from station.core.lights import key_light
from station.core.locks import Lock, LockDecision, decide
from station.ports import KeyFile, KeyLost
from station.records import envelope
from station.records.claims import BLOCKLIST_LIMIT_BYTES

EXAMPLE = "example: station lock try --lock 102 --area 3 --state ./keys/1001"
KEY_WAIT_S = 10.0
_READ = (KeyFile.ID, KeyFile.PERMIT, KeyFile.CERT, KeyFile.SYNC, KeyFile.BOXCERT, KeyFile.ACT, KeyFile.BLOCK)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="try")
    attempt = actions.add_parser("try", help="turn the key in a lock", epilog=EXAMPLE)
    attempt.add_argument("--lock", type=int, required=True, metavar="N", help="the lock's number; 1 is the test lock")
    attempt.add_argument("--area", type=int, required=True, metavar="A", help="the lock's area")
    attempt.add_argument("--no-button", action="store_true", help="the key's button has not been pressed")
    attempt.add_argument("--record", action="store_true", help="write the lock's entry to the key's log")
    attempt.add_argument("--state", type=Path, metavar="DIR", help="an emulated key's folder")
    attempt.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(args: argparse.Namespace) -> int:
    """Decide; exit code 0 when the lock opens."""
    settings = config.load(config.find(args.config))
    central_keys = Credentials.load(settings.storage.credentials).central_keys
    if args.state is not None:
        if not args.state.is_dir():
            raise UsageError("no_such_folder", path=args.state)
        folder = KeyFolder(args.state)
        files: Mapping[str, bytes] = {file.value: content for file, content in folder.files().items()}
        clock, awake = folder.clock(), True
    elif args.record:
        raise UsageError("record_needs_state")
    else:
        reader = settings.key_reader
        files, clock = asyncio.run(_read(SmpKeySocket(str(reader.port), reader.baud, reader.folder)))
        folder, awake = None, True
    # A key without a clock leaves the time to the lock's own.
    now_s = int(time.time()) if clock.state is KeyClockState.ABSENT else clock.unix_s
    lock = Lock(args.lock, args.area)
    decision = decide(envelope, central_keys, files, lock, now_s, button=awake and not args.no_button)
    if args.record and folder is not None:
        folder.append_log_entry(
            time_s=now_s, lock=args.lock, outcome=decision.reason.value, holder=decision.holder, battery_percent=None
        )
    _print(decision, key_light(envelope, central_keys, files, now_s).value, as_json=args.json)
    return 0 if decision.opened else 1


def _print(decision: LockDecision, key_light_now: str, *, as_json: bool) -> None:
    light, reason = decision.light.value, decision.reason.value
    if as_json:
        answer = {"opened": decision.opened, "light": light, "reason": reason, "key_light": key_light_now}
        sys.stdout.write(json.dumps(answer) + "\n")
        return
    opens = "opens" if decision.opened else "stays shut"
    words = {value: value.replace("_", " ") for value in (light, reason, key_light_now)}
    sys.stdout.write(f"{words[light]}: the lock {opens} ({reason}); the key's own light: {words[key_light_now]}\n")


async def _read(socket: SmpKeySocket) -> tuple[Mapping[str, bytes], KeyClock]:
    try:
        try:
            await asyncio.wait_for(socket.inserted(), KEY_WAIT_S)
        except TimeoutError:
            raise KeyLost("key_lost") from None
        files = {file.value: await socket.read(file, BLOCKLIST_LIMIT_BYTES) for file in _READ}
        return files, await socket.clock()
    finally:
        await socket.close()
