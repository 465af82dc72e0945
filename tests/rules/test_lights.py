"""The key's own light: the contract's examples, and that a key with a steady light opens something."""

import json
from pathlib import Path
from typing import Any

import pytest

from station.records import envelope
from station.records.claims import KeyKind, KeyRecord, Role, StationCertificate, Sync
from station.records.keys import SigningKey
from station.rules.lights import key_light
from station.rules.locks import Light, Lock, Reason, decide

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "records.json").read_text())["key_lights"]
CENTRAL, STATION = (SigningKey(bytes([n]) * 32) for n in (1, 2))
NOW_S = 1_800_000_000


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_vector(vector: dict[str, Any]) -> None:
    central = [bytes.fromhex(k) for k in vector["central_public_hex"]]
    files = {name: bytes.fromhex(record) for name, record in vector["files_hex"].items()}
    light = key_light(envelope, central, files, vector["now"])
    assert light == vector["light"]
    if light is Light.BLUE_STEADY:
        decision = decide(envelope, central, files, Lock(1, 1), vector["now"], button=True)
        # A key does not ask itself for a proof; a lock does, and this one gets no answer.
        proves_itself = vector["name"] == "active_key_that_can_prove_itself"
        assert decision.reason is (Reason.NOT_GENUINE if proves_itself else Reason.OPENED)


def a_switched_off_key(
    role: Role = Role.SYNC_STATION, synced_key: int = 41, expires: int = NOW_S, station: int = 7
) -> dict[str, bytes]:
    return {
        "id": envelope.sign(KeyRecord(5, 41, KeyKind.SUBSTITUTE, 4), CENTRAL),
        "cert": envelope.sign(StationCertificate(expires, 5, 4, 7, STATION.public, role), CENTRAL),
        "sync": envelope.sign(Sync(NOW_S, synced_key, station), STATION),
    }


@pytest.mark.parametrize(
    ("files", "light"),
    [
        pytest.param(a_switched_off_key(), Light.BLUE_BLINKING, id="the_certificate_may_have_expired_since"),
        pytest.param(a_switched_off_key(Role.UPDATE_BOX), Light.BLUE_BLINKING, id="update_box"),
        pytest.param(a_switched_off_key(Role.ACTIVATION_BOX), Light.PURPLE_BLINKING, id="a_box_cannot_synchronise"),
        pytest.param(a_switched_off_key(synced_key=42), Light.PURPLE_BLINKING, id="sync_of_another_key"),
        pytest.param(a_switched_off_key(station=8), Light.PURPLE_BLINKING, id="sync_in_the_name_of_another_station"),
        pytest.param(a_switched_off_key() | {"id": b"\0"}, Light.PURPLE_BLINKING, id="no_id"),
        pytest.param(a_switched_off_key() | {"cert": b"\0"}, Light.PURPLE_BLINKING, id="no_certificate"),
    ],
)
def test_who_may_have_synchronised_it(files: dict[str, bytes], light: Light) -> None:
    assert key_light(envelope, [CENTRAL.public], files, NOW_S + 1) is light
