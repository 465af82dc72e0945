"""Ids of what is found in a key's log: the contract's examples."""

import json
from pathlib import Path
from typing import Any

import pytest

from station.records.log_ids import NAMESPACE, entry_id, gap_id, garbage_id

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "ids.json").read_text())


def id_of(vector: dict[str, Any]) -> str:
    key = vector["key"]
    if "entry_hex" in vector:
        return str(entry_id(key, bytes.fromhex(vector["entry_hex"])))
    if "first" in vector:
        return str(gap_id(key, vector["first"], vector["last"]))
    return str(garbage_id(key, vector["generation"], vector["offset"]))


@pytest.mark.parametrize("vector", VECTORS["log_ids"], ids=lambda v: v["name"])
def test_vector(vector: dict[str, Any]) -> None:
    assert id_of(vector) == vector["id"]


def test_namespace() -> None:
    assert str(NAMESPACE) == VECTORS["namespace"]
