"""Writes what enrolment has learnt into ``station.toml``, and leaves every comment and every other value as it is."""

import json
from importlib import resources
from pathlib import Path

from config.files import read_file, write_file
from config.loading import FILE_LIMIT_BYTES, parse
from config.models import Profile
from config.problems import ConfigFault
from config.toml_positions import find_positions

FILE_MODE = 0o644


def template() -> str:
    """The commented ``station.toml`` that a new station begins with."""
    return resources.files("config").joinpath("template.toml").read_text("utf-8")


def write_enrolled(path: Path, *, number: int, name: str, url: str, profile: Profile) -> None:
    """Give the station at ``path`` its number, name, profile and central server, atomically.

    An existing file is changed in those places only; a missing one begins as the template, which stays also when the
    rest is refused: what has to be set then has its line in a file. What would not be valid is not written.
    Raises ConfigFault.
    """
    try:
        content = read_file(path, "config", FILE_LIMIT_BYTES)
    except ConfigFault as fault:
        if fault.code != "config_missing":
            raise
        content = template().encode()
        write_file(path, content, FILE_MODE)
    else:
        parse(path, content)
    text = content.decode("utf-8-sig")
    for table, key, value in (
        ("station", "number", str(number)),
        ("station", "name", json.dumps(name, ensure_ascii=False)),
        ("station", "profile", json.dumps(profile)),
        ("central", "url", json.dumps(url)),
    ):
        text = _with_value(text, table, key, value)
    changed = text.encode()
    parse(path, changed)
    write_file(path, changed, FILE_MODE)


def _with_value(text: str, table: str, key: str, value: str) -> str:
    positions = find_positions(text).by_path
    position = positions.get((table, key))
    if position is not None:
        return text[: position.value_start] + value + text[position.value_end :]
    header = positions.get((table,))
    if header is not None:
        return f"{text[: header.value_end]}\n{key} = {value}{text[header.value_end :]}"
    return f"{text.rstrip()}\n\n[{table}]\n{key} = {value}\n"
