"""Shows the configuration in effect and where it comes from, checks a file, rolls back, prints the schema.

``technician-code`` makes the line for the technician's code: the code itself is in no file, and on no command line.
"""

import argparse
import contextlib
import getpass
import json
import os
import sys
from pathlib import Path

import config
from config import ConfigFault, Problem
from config.config_file import ConfigFile, EffectiveValue, in_effect
from config.files import read_file, write_file
from config.good_copies import GoodCopies, GoodCopy, folder_of
from config.loading import FILE_LIMIT_BYTES, version_of
from station.commands.command_line import WRONG_USAGE, UsageError, add_action, print_answer
from station.runtime.technician import hash_of
from station.secret import Secret
from station.visit.entry import MAX_DIGITS

EXAMPLE = (
    "examples: station config show\n"
    "          station config check station.toml\n"
    "          station config rollback\n"
    "          station config schema\n"
    "          station config technician-code"
)
FILE_MODE = 0o644
CODE_DIGITS_MIN = 6
"""Of a technician's code: a wrong one costs 5 s, and a million of them two months."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="show|check|rollback|schema|technician-code")
    add_action(actions, "show", "print the values in effect and where each comes from", "example: station config show")
    check = add_action(actions, "check", "say what is wrong with a file", "example: station config check station.toml")
    check.add_argument(
        "file", type=Path, metavar="FILE", nargs="?", help="default: --config, else the one that is in use"
    )
    back = add_action(
        actions,
        "rollback",
        "put an earlier good file back; a running kiosk takes it up between two visits",
        "example: station config rollback 3fa2b1c4d5e6",
    )
    back.add_argument(
        "version", metavar="VERSION", nargs="?", help="as `station config show` lists them (default: the one before)"
    )
    add_action(actions, "schema", "print the JSON schema", "example: station config schema > station.schema.json")
    add_action(
        actions,
        "technician-code",
        "read the technician's code without showing it, print the line for the file's [display]",
        "example: station config technician-code",
    )


def run(args: argparse.Namespace) -> int:
    """Run the action; exit code 0 when done, 2 for a file that is not valid."""
    if args.action == "schema":
        sys.stdout.write(json.dumps(config.schema(), indent=1, ensure_ascii=False) + "\n")
        return 0
    if args.action == "check":
        return _check(args, args.file or config.find(args.config))
    if args.action == "technician-code":
        return _technician_code(args)
    path = config.find(args.config)
    return _show(args, path) if args.action == "show" else _roll_back(args, path)


def _check(args: argparse.Namespace, path: Path) -> int:
    problems = config.check(path)
    if args.json or not problems:
        print_answer(
            args, f"{path}: valid", {"valid": not problems, "problems": [_row(problem) for problem in problems]}
        )
    sys.stderr.write("".join(f"{problem}\n" for problem in problems))
    return WRONG_USAGE if problems else 0


def _row(problem: Problem) -> dict[str, object]:
    return {name: getattr(problem, name) for name in ("file", "line", "key", "expected", "got")}


# --- show -------------------------------------------------------------------------------------------------------------


def _show(args: argparse.Namespace, path: Path) -> int:
    """Print the file's values, or those of the last good one where it is broken (exit code 2)."""
    copies = GoodCopies(folder_of(path)).newest_first()
    shown, problems = in_effect(path)
    source = f"{path} as it was in {shown.version}" if problems else str(path)
    values = shown.values()
    fields = {
        "file": str(path),
        "version": shown.version,
        "problems": [_row(problem) for problem in problems],
        "values": [_fields(value, path) for value in values],
        "kept": [copy.version for copy in copies],
    }
    print_answer(args, _table(shown, source, path.name, values, copies), fields)
    sys.stderr.write("".join(f"{problem}\n" for problem in problems))
    return WRONG_USAGE if problems else 0


def _fields(value: EffectiveValue, path: Path) -> dict[str, object]:
    place = None if value.line is None else {"file": str(path), "line": value.line}
    return {"key": value.key, "value": value.value, "from": place, "reach": value.reach.value}


def _table(shown: ConfigFile, source: str, file: str, values: list[EffectiveValue], copies: list[GoodCopy]) -> str:
    rows = [
        (f"{value.key} = {_written(value.value)}", "default" if value.line is None else f"{file}:{value.line}")
        for value in values
    ]
    width = max(len(left) for left, _ in rows)
    kept = ", ".join(copy.version for copy in copies) or "none yet"
    lines = [f"# {source}, version {shown.version}", *(f"{left:<{width}}  # {right}" for left, right in rows)]
    return "\n".join([*lines, f"# kept, newest first: {kept}"])


def _written(value: str | int | bool | None) -> str:  # noqa: FBT001 - a value, not a switch
    return "(none)" if value is None else json.dumps(value, ensure_ascii=False)


# --- technician-code ---


def _technician_code(args: argparse.Namespace) -> int:
    code = Secret(getpass.getpass("Digits of the code: "))
    digits = code.reveal()
    if not (digits.isascii() and digits.isdecimal() and CODE_DIGITS_MIN <= len(digits) <= MAX_DIGITS):
        raise UsageError("bad_code_digits")
    if getpass.getpass("Again: ") != digits:
        raise UsageError("codes_differ")
    encoded = hash_of(code)
    print_answer(args, f'technician_code = "{encoded}"', {"technician_code": encoded})
    return 0


# --- rollback ---------------------------------------------------------------------------------------------------------


def _roll_back(args: argparse.Namespace, path: Path) -> int:
    copies = GoodCopies(folder_of(path)).newest_first()
    copy = _chosen(copies, args.version, path)
    # Nothing that a newer program no longer takes.
    ConfigFile.from_copy(path, copy)
    _write(path, copy.content)
    print_answer(args, f"{path} is version {copy.version} again", {"file": str(path), "version": copy.version})
    return 0


def _chosen(copies: list[GoodCopy], version: str | None, path: Path) -> GoodCopy:
    if version is not None:
        found = [copy for copy in copies if copy.version == version]
    else:
        current = None
        with contextlib.suppress(ConfigFault):
            current = version_of(read_file(path, "config", FILE_LIMIT_BYTES))
        found = [copy for copy in copies if copy.version != current]
    if not found:
        kept = ", ".join(copy.version for copy in copies) or "none"
        raise UsageError("no_such_version", kept=kept)
    return found[0]


def _write(path: Path, content: bytes) -> None:
    """Write with the file's owner and mode: one that root puts back must be one that the station can read."""
    try:
        before = path.stat()
    except OSError:
        write_file(path, content, FILE_MODE)
        return
    owner = (before.st_uid, before.st_gid) if os.geteuid() == 0 else None
    write_file(path, content, before.st_mode & 0o777, owner=owner)
