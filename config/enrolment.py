"""Writes what enrolment has learnt into ``station.toml``, and leaves every comment and every other value as it is."""

import json
from importlib import resources
from pathlib import Path

from config.durable import write_durably
from config.loading import parse, read
from config.models import Profile
from config.places import find_places
from config.problems import ConfigFault, Problem

FILE_MODE = 0o644


def template() -> str:
    """The commented ``station.toml`` that a new station begins with."""
    return resources.files("config").joinpath("template.toml").read_text("utf-8")


def write_enrolled(path: Path, *, number: int, name: str, url: str, profile: Profile) -> None:
    """Give the station at ``path`` its number, name, profile and central server, atomically.

    An existing file is changed in those places only; a missing one begins as the template. What would not be valid is
    not written. Raises ConfigFault.
    """
    try:
        content = read(path)
    except ConfigFault as fault:
        if fault.code != "config_missing":
            raise
        content = template().encode()
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
    try:
        write_durably(path, changed, FILE_MODE)
    except OSError as error:
        problem = Problem(str(path), f"cannot be written: {error.strerror}")
        raise ConfigFault("config_unwritable", [problem]) from error


def _with_value(text: str, table: str, key: str, value: str) -> str:
    places = find_places(text).by_path
    place = places.get((table, key))
    if place is not None:
        return text[: place.value_start] + value + text[place.value_end :]
    header = places.get((table,))
    if header is not None:
        return f"{text[: header.value_end]}\n{key} = {value}{text[header.value_end :]}"
    return f"{text.rstrip()}\n\n[{table}]\n{key} = {value}\n"
