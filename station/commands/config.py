"""Checks a station.toml, or prints the JSON schema of it.

Every mistake is named with file, line, key and what was expected.
"""

import argparse
import json
import sys
from pathlib import Path

import config

EXAMPLE = "examples: station config check station.toml\n          station config schema"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="check|schema")
    check = actions.add_parser("check", help="say what is wrong with a file", epilog=EXAMPLE.splitlines()[0])
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument("--json", action="store_true", help="one JSON object on standard output")
    actions.add_parser("schema", help="print the JSON schema")


def run(args: argparse.Namespace) -> int:
    """Exit code 0 for a valid file, 2 for any other."""
    if args.action == "schema":
        sys.stdout.write(json.dumps(config.schema(), indent=1, ensure_ascii=False) + "\n")
        return 0
    problems = config.check(args.file)
    if args.json:
        rows = [{"file": p.file, "line": p.line, "key": p.key, "expected": p.expected, "got": p.got} for p in problems]
        sys.stdout.write(json.dumps({"valid": not problems, "problems": rows}, ensure_ascii=False) + "\n")
    elif problems:
        sys.stderr.write("".join(f"{problem}\n" for problem in problems))
    else:
        sys.stdout.write(f"{args.file}: valid\n")
    return 2 if problems else 0
