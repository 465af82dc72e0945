"""Reads ``station.toml``: finds it, checks it, and says of each mistake where it is and what was expected."""

import difflib
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.files import read_file
from config.models import Settings, keys_with_reach
from config.problems import ConfigFault, Problem
from config.toml_positions import KeyPath, Positions, find_positions

FILE_NAME = "station.toml"
SYSTEM_FILE = Path("/etc/station/station.toml")
FILE_LIMIT_BYTES = 1 << 20
"""A hundred times what anybody writes; more is a mistake, or an attempt to fill the memory."""
PROBLEMS_LIMIT = 50
SHOWN_LIMIT_CHARACTERS = 40

_TOML_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
# An address may carry a password, where a hash belongs may stand the code itself, a value under a mistyped key may be
# anything: none of it is repeated.
NOT_REPEATED: frozenset[KeyPath] = frozenset({("central", "url"), ("display", "technician_code")})
"""Keys whose values no error repeats."""


def find(path: Path | None = None) -> Path:
    """The file to use: ``path`` if given, ``station.toml`` in the working directory, else the system's."""
    if path is not None:
        return path
    here = Path(FILE_NAME)
    # Also a link that leads nowhere is this folder's file: a broken one, not none.
    return here if os.path.lexists(here) else SYSTEM_FILE


def load(path: Path) -> Settings:
    """The settings in ``path``, relative paths in them made relative to its folder. Raises ConfigFault."""
    return parse(path, read_file(path, "config", FILE_LIMIT_BYTES))


def check(path: Path) -> list[Problem]:
    """What is wrong with ``path``: nothing, or a problem for each mistake."""
    try:
        load(path)
    except ConfigFault as fault:
        return list(fault.problems)
    return []


def schema() -> dict[str, Any]:
    """The JSON schema of ``station.toml``."""
    document = Settings.model_json_schema()
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    document["title"] = FILE_NAME
    for table, key, reach in keys_with_reach(Settings):
        reference = document["properties"][table]["$ref"].rpartition("/")[2]
        document["$defs"][reference]["properties"][key]["reach"] = reach.value
    return document


def parse(path: Path, content: bytes) -> Settings:
    """The settings in ``content``, which is what ``path`` holds or is to hold. Raises ConfigFault."""
    text = _text(path, content)
    document = _document(path, text)
    positions = find_positions(text)
    # A table that is not there is an empty one: its relative paths, too, start from the file's folder.
    tables = {name: {} for name in Settings.model_fields} | document
    try:
        settings = Settings.model_validate(tables, context={"folder": path.parent})
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        found = [_problem(path, positions, document, detail) for detail in details[:PROBLEMS_LIMIT]]
        # Errors may hold the input; the problems have all that may be told.
        raise ConfigFault("config_invalid", sorted(found, key=lambda problem: problem.line or 0)) from None
    contradictions = [
        Problem(str(path), expected, positions.line(key), _dotted(key)) for key, expected in _contradictions(settings)
    ]
    if contradictions:
        raise ConfigFault("config_invalid", contradictions)
    settings._version = version_of(content)  # noqa: SLF001 - set once, here, on a frozen model
    return settings


def version_of(content: bytes) -> str:
    """The first 12 hexadecimal digits of SHA-256 over a file: what tells two configurations apart."""
    return hashlib.sha256(content).hexdigest()[:12]


def _text(path: Path, content: bytes) -> str:
    try:
        # A byte order mark is what some editors put first.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _fault("config_not_utf8", path, "expected text in UTF-8", line) from error


def _document(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _TOML_PLACE.search(message)
        line = text.count("\n") + 1 if place is None or place["line"] is None else int(place["line"])
        what = message if place is None else message[: place.start()]
        raise _fault("config_syntax", path, f"not valid TOML: {what}", line) from error
    except (ValueError, RecursionError) as error:
        raise _fault("config_syntax", path, "not valid TOML: nested too deeply, or a number too long", 1) from error


def _fault(code: str, path: Path, expected: str, line: int | None = None) -> ConfigFault:
    return ConfigFault(code, [Problem(str(path), expected, line)])


def _contradictions(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """Values that are right each for itself, and wrong together."""
    box = settings.is_activation_box
    if settings.central.url is None and not box:
        yield ("central", "url"), 'expected the central server\'s address (only an "activation-box" has none)'
    if box and not settings.clock.trust_rtc:
        yield ("clock", "trust_rtc"), "expected true: a box has no other clock than its battery-backed one"


def _problem(path: Path, positions: Positions, document: Mapping[str, Any], detail: ErrorDetails) -> Problem:
    key = detail["loc"]
    kind = detail["type"]
    line = positions.line(key)
    got = None
    if kind == "extra_forbidden":
        expected = _unknown(key)
    else:
        expected = f"expected {expectation(key)}"
        if kind == "missing" or not _is_in(document, key):
            expected = f"is missing, {expected}"
        elif key not in NOT_REPEATED:
            got = _shown(detail["input"])
    return Problem(str(path), expected, line, _dotted(key), got)


def _unknown(key: KeyPath) -> str:
    *table, name = key
    known = list(_properties(table))
    close = difflib.get_close_matches(str(name), known, n=1)
    meant = f', perhaps "{close[0]}" is meant' if close else ""
    what = f"the keys of [{table[0]}] are" if table else "the tables are"
    return f"unknown{meant}; {what} {', '.join(known)}"


def _properties(table: list[str | int]) -> dict[str, Any]:
    document = Settings.model_json_schema()
    if not table:
        return dict(document["properties"])
    reference = document["properties"][table[0]]["$ref"].rpartition("/")[2]
    return dict(document["$defs"][reference]["properties"])


def expectation(key: KeyPath) -> str:
    """What belongs at ``key``, and why where somebody may wonder; as an error about it and the documentation say it."""
    if len(key) < 2:
        return f"a table, [{key[0]}]"
    about = _properties([key[0]])[str(key[1])]
    expected = about.get("expected") or _by_type(about)
    reason = f" ({about['reason']})" if "reason" in about else ""
    return f"{expected}{reason}"


def _by_type(about: Mapping[str, Any]) -> str:
    # Optional values are a choice between a type and null, which TOML does not have.
    about = about.get("anyOf", [about])[0]
    if "expected" in about:
        return str(about["expected"])
    if "enum" in about:
        *most, last = [json.dumps(choice) for choice in about["enum"]]
        return f"{', '.join(most)} or {last}"
    if about.get("type") == "integer":
        return f"a whole number from {about['minimum']} to {about['maximum']}"
    if about.get("type") == "boolean":
        return "true or false"
    return f"text in quotes, from {about.get('minLength', 0)} to {about['maxLength']} characters"


def _is_in(document: Mapping[str, Any], key: KeyPath) -> bool:
    value: Any = document
    for part in key:
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, bool | int | float | str):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= SHOWN_LIMIT_CHARACTERS else f"{text[: SHOWN_LIMIT_CHARACTERS - 1]}…"
    return str(value)


def _dotted(key: KeyPath) -> str:
    return ".".join(part if str(part).replace("-", "_").isidentifier() else json.dumps(part) for part in map(str, key))
