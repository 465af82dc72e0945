"""`station enrol`: the key is proved, and kept before it is sent, so that a lost answer can be asked again."""

import argparse
import asyncio
import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import config
from config import ConfigFault, Credentials
from config.enrolment import template
from config.enrolment_key import FILE_NAME
from station.commands import enrol
from station.records.base64url import decoded, encoded
from station.records.claims import Role
from station.records.keys import SigningKey
from station.records.proofs import enrolment_proven
from station.sync.client import CentralRefused, CentralUnreachable
from tests.services.lying_central import NOW_S, Asked, LyingCentral, Reply, refusal, said
from tests.services.server_certificates import certificate_for

CODE = "7-k3mq9xw2"
SMALL_ORDER = bytes([1]) + bytes(31)


def answer(central: LyingCentral, asked: Asked, **changed: object) -> Reply:
    public = decoded(asked.json["public_key"])
    assert enrolment_proven(asked.json["code"], public, decoded(asked.json["proof"]))
    content = {
        "station": 7,
        "site": 1,
        "role": int(Role.SYNC_STATION),
        "token": "a-token-of-a-station",
        "certificate": encoded(central.certify(public, NOW_S)),
        "central_keys": [encoded(central.signing.public)],
        "pin": central.pin(),
    }
    return said(content | changed, 201)


async def run(central: LyingCentral, folder: Path, code: str = CODE) -> None:
    args = argparse.Namespace(config=folder / "station.toml", code=code, url=central.url, name=None, json=True)
    await asyncio.to_thread(enrol.run, args)


def asked_keys(central: LyingCentral) -> list[str]:
    return [asked.json["public_key"] for asked in central.asked if asked.path == "/enrol"]


async def test_a_lost_answer_is_asked_again_with_the_same_key(central: LyingCentral, tmp_path: Path) -> None:
    async def lost(asked: Asked, writer: asyncio.StreamWriter) -> None:
        answer(central, asked)

    central.lies["/enrol"] = lost
    with pytest.raises(CentralUnreachable):
        await run(central, tmp_path)
    kept = tmp_path / FILE_NAME
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "credentials.json").exists()
    central.lies["/enrol"] = lambda asked: answer(central, asked)
    await run(central, tmp_path)
    first, second = asked_keys(central)
    assert first == second
    assert not kept.exists()
    signing = SigningKey(Credentials.load(tmp_path / "credentials.json").signing_seed.reveal())
    assert encoded(signing.public) == first


async def test_another_code_has_a_key_of_its_own(central: LyingCentral, tmp_path: Path) -> None:
    central.lies["/enrol"] = refusal(410, "code_spent")
    with pytest.raises(CentralRefused):
        await run(central, tmp_path)
    with pytest.raises(CentralRefused):
        await run(central, tmp_path, code="8-k3mq9xw2")
    first, second = asked_keys(central)
    assert first != second


@pytest.mark.parametrize("spoiled", ["", "{}", "[]", '{"enrolment": "7", "signing_seed": "AA"}', "[" * 900])
async def test_a_spoiled_file_is_replaced(central: LyingCentral, tmp_path: Path, spoiled: str) -> None:
    kept = tmp_path / FILE_NAME
    kept.write_text(spoiled)
    kept.chmod(0o600)
    central.lies["/enrol"] = refusal(403, "bad_code")
    with pytest.raises(CentralRefused):
        await run(central, tmp_path)
    assert json.loads(kept.read_text())["enrolment"] == "7"


async def test_the_whole_chain_is_taken_and_its_current_key_has_signed(central: LyingCentral, tmp_path: Path) -> None:
    chain = [SigningKey.generate().public, SigningKey.generate().public, central.signing.public]
    chain.append(SigningKey.generate().public)
    keys = [encoded(key) for key in chain]
    central.lies["/enrol"] = lambda asked: answer(central, asked, central_keys=keys)
    await run(central, tmp_path)
    assert Credentials.load(tmp_path / "credentials.json").central_keys == tuple(chain)


@pytest.mark.parametrize("wrong", [SMALL_ORDER, bytes(32), b"\xff" * 32, b"short", None], ids=str)
async def test_keys_that_are_none_are_refused_and_nothing_is_written(
    central: LyingCentral, tmp_path: Path, wrong: bytes | None
) -> None:
    """Small order, no point, no key; or a chain that the certificate's signer is not in."""
    keys = [SigningKey.generate().public] if wrong is None else [wrong, central.signing.public]
    central.lies["/enrol"] = lambda asked: answer(central, asked, central_keys=[encoded(key) for key in keys])
    with pytest.raises(CentralUnreachable):
        await run(central, tmp_path)
    assert not (tmp_path / "credentials.json").exists()
    assert not (tmp_path / "station.toml").exists()
    assert (tmp_path / FILE_NAME).exists()


async def test_the_authority_in_station_toml_counts_when_enrolling(central: LyingCentral, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    cert_file, key_file = certificate_for("127.0.0.1", tmp_path, now - timedelta(days=1), now + timedelta(days=1))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    await central.stop()
    await central.start(context)
    central.lies["/enrol"] = lambda asked: answer(central, asked)
    path = tmp_path / "station.toml"
    path.write_text(template(), "utf-8")
    with pytest.raises(CentralUnreachable, match="central_certificate_refused"):
        await run(central, tmp_path)
    path.write_text(template().replace('# ca_file = "authority.pem"', f'ca_file = "{cert_file.name}"'), "utf-8")
    await run(central, tmp_path)
    assert (tmp_path / "credentials.json").exists()


async def test_a_box_is_told_what_to_set_and_enrols_with_the_same_command(
    central: LyingCentral, tmp_path: Path
) -> None:
    """There is a file to set it in, and neither the key pair nor the code is lost."""
    central.lies["/enrol"] = lambda asked: answer(
        central,
        asked,
        role=int(Role.ACTIVATION_BOX),
        certificate=encoded(central.certify(decoded(asked.json["public_key"]), NOW_S, role=Role.ACTIVATION_BOX)),
    )
    path = tmp_path / "station.toml"
    with pytest.raises(ConfigFault) as fault:
        await run(central, tmp_path)
    clock, again = fault.value.problems
    assert clock.key == "clock.trust_rtc"
    assert clock.line is not None
    assert path.read_text("utf-8").splitlines()[clock.line - 1] == "[clock]"
    assert "the same command again" in str(again)
    assert (tmp_path / FILE_NAME).exists()
    assert not (tmp_path / "credentials.json").exists()
    path.write_text(path.read_text("utf-8").replace("# trust_rtc = false", "trust_rtc = true"), "utf-8")
    await run(central, tmp_path)
    first, second = asked_keys(central)
    assert first == second
    assert config.load(path).is_activation_box
    assert {asked.path for asked in central.asked} == {"/enrol"}
