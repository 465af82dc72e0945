"""What a lock would decide about a key: `station lock try`.

With --state it looks at the emulated key in that folder, else at the key in the reader. --record writes the lock's
entry to the key's log, as a lock does. Exit code 0 when the lock opens, 1 when it stays shut.
"""

import argparse
import asyncio
from contextlib import suppress
from pathlib import Path

import config
from config import Credentials
from station.commands.command_line import UsageError, add_action, print_answer
from station.commands.inserted_key import content_of_folder, emulated_key_folder, key_in_reader, trusted_central_keys
from station.records import envelope
from station.records.base64url import decoded
from station.records.claims import MAX_UINT32
from station.records.keys import PublicKey
from station.rules.lights import key_light
from station.rules.locks import Lock, LockDecision, decide

EXAMPLE = "example: station lock try --lock 102 --area 3 --state ./keys/1001"
TEST_LOCK = 1
"""Every station's own: it opens for any valid activation."""
PUBLIC_KEY_BYTES = 32
ANY_AREA = 1
"""The test lock is in none."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="try")
    attempt = add_action(actions, "try", "turn the key in a lock", EXAMPLE)
    attempt.add_argument("--lock", type=_number, required=True, metavar="N", help="the lock's number; 1 is a test lock")
    attempt.add_argument("--area", type=_number, metavar="A", help="the lock's area; number 1 needs none")
    attempt.add_argument("--no-button", action="store_true", help="the key's button has not been pressed")
    attempt.add_argument("--record", action="store_true", help="write the lock's entry to the key's log")
    attempt.add_argument("--state", type=Path, metavar="DIR", help="an emulated key's folder")
    attempt.add_argument(
        "--central-key",
        type=_public_key,
        metavar="KEY",
        help="with --state, in place of a station.toml: central's public key (base64url), as locks are given it",
    )


def run(args: argparse.Namespace) -> int:
    """Decide as the lock would; exit code 0 when it opens."""
    if args.area is None and args.lock != TEST_LOCK:
        raise UsageError("area_missing")
    if args.state is not None and args.central_key is not None:
        settings = None
        trusted_keys: tuple[PublicKey, ...] = (args.central_key,)
    else:
        path = config.find(args.config)
        if args.state is not None and args.config is None and not path.exists():
            raise UsageError("central_key_missing")
        settings = config.load(path)
        trusted_keys = asyncio.run(trusted_central_keys(settings, Credentials.load(settings.storage.credentials)))
    if args.state is not None:
        folder = emulated_key_folder(args.state)
        key = content_of_folder(folder)
    elif args.record or settings is None:
        raise UsageError("record_needs_state")
    else:
        folder = None
        key = asyncio.run(key_in_reader(settings))
    now_s = key.time_s()
    lock = Lock(args.lock, args.area if args.area is not None else ANY_AREA)
    decision = decide(envelope, trusted_keys, key.files, lock, now_s, button=not args.no_button)
    if args.record and folder is not None:
        folder.append_log_entry(
            time_s=now_s, lock=args.lock, outcome=decision.reason.value, holder=decision.holder, battery_percent=None
        )
    _print_decision(args, decision, key_light(envelope, trusted_keys, key.files, now_s).value)
    return 0 if decision.opened else 1


def _public_key(text: str) -> PublicKey:
    with suppress(ValueError):
        if len(key := decoded(text)) == PUBLIC_KEY_BYTES:
            return key
    raise argparse.ArgumentTypeError("expected 32 bytes as base64url")


def _number(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MAX_UINT32:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to {MAX_UINT32}")
    return number


def _print_decision(args: argparse.Namespace, decision: LockDecision, key_light_now: str) -> None:
    light, reason = decision.light.value, decision.reason.value
    opens = "opens" if decision.opened else "stays shut"
    words = {value: value.replace("_", " ") for value in (light, reason, key_light_now)}
    print_answer(
        args,
        f"{words[light]}: the lock {opens} ({reason}); the key's own light: {words[key_light_now]}",
        {"opened": decision.opened, "light": light, "reason": reason, "key_light": key_light_now},
    )
