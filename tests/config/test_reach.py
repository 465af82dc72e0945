"""Every key says how far a change of it reaches."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel

import config
from config.models import Settings
from config.reach import Reach, changed, keys

MINIMAL = '[station]\nnumber = 7\nname = "Ekbacken"\n[central]\nurl = "https://central.example"\n'


def load(folder: Path, text: str) -> Settings:
    path = folder / "station.toml"
    path.write_text(text, "utf-8")
    return config.load(path)


def test_every_key_is_marked() -> None:
    marked = [(table, key) for table, key, _ in keys(Settings)]
    document = config.schema()
    assert marked == [
        (table, key)
        for table, reference in document["properties"].items()
        for key in document["$defs"][reference["$ref"].rpartition("/")[2]]["properties"]
    ]


def test_an_unmarked_key_is_found() -> None:
    class Table(BaseModel):
        marked: Annotated[int, Reach.LIVE] = 1
        bare: int = 2

    class Model(BaseModel):
        table: Table

    with pytest.raises(LookupError, match=r"table\.bare"):
        list(keys(Model))


def test_what_cannot_change_live_says_so() -> None:
    reach = {f"{table}.{key}": mark for table, key, mark in keys(Settings)}
    assert reach["policy.active_minutes"] is Reach.LIVE
    assert reach["key_reader.port"] is Reach.KEY_READER
    assert reach["central.url"] is Reach.CENTRAL
    assert reach["storage.database"] is Reach.PROCESS


def test_only_what_differs_in_effect(tmp_path: Path) -> None:
    old = load(tmp_path, MINIMAL)
    assert changed(old, load(tmp_path, MINIMAL + "# a word\n[policy]\nactive_minutes = 660\n")) == {}
    new = load(tmp_path, MINIMAL + "poll_s = 30\n[key_reader]\nbaud = 9600\n")
    assert changed(old, new) == {"central.poll_s": Reach.LIVE, "key_reader.baud": Reach.KEY_READER}
