"""Checks a station.toml, prints its JSON schema."""

import argparse
import json
import sys
from pathlib import Path

import config
from station.cli import WRONG_USAGE, add_action, answer

EXAMPLE = "examples: station config check station.toml\n          station config schema"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="check|schema")
    check = add_action(actions, "check", "say what is wrong with a file", "example: station config check station.toml")
    check.add_argument(
        "file", type=Path, metavar="FILE", nargs="?", help="default: --config, else the one that is in use"
    )
    add_action(actions, "schema", "print the JSON schema", "example: station config schema > station.schema.json")


def run(args: argparse.Namespace) -> int:
    """Exit code 0 for a valid file, 2 for any other."""
    if args.action == "schema":
        sys.stdout.write(json.dumps(config.schema(), indent=1, ensure_ascii=False) + "\n")
        return 0
    path = args.file or config.find(args.config)
    problems = config.check(path)
    rows = [{"file": p.file, "line": p.line, "key": p.key, "expected": p.expected, "got": p.got} for p in problems]
    if args.json or not problems:
        answer(args, f"{path}: valid", {"valid": not problems, "problems": rows})
    sys.stderr.write("".join(f"{problem}\n" for problem in problems))
    return WRONG_USAGE if problems else 0
