"""The `central` command as a program."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from central.models import Holder, Site
from central.signing import keyring
from station.records.base64url import decoded
from station.records.claims import KeyRecord
from station.records.envelope import verify
from tests.central.served import Caller, Served


def run(*arguments: Any, cwd: Any = None) -> Any:
    command = [sys.executable, "-m", "central.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=cwd)


def test_secrets_and_database_are_their_owners_alone(served: Served) -> None:
    files = [path for path in served.data.rglob("*") if path.is_file()]
    assert {"master.key", "central.sqlite3"} <= {path.name for path in files}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    folders = [served.data, *(path for path in served.data.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


def test_the_database_alone_discloses_no_secret(served: Served) -> None:
    it = Site.objects.get(number=1)
    pin, signer = keyring.pin_secrets(it), keyring.signing_key(it)
    secrets = [pin.site_salt.hex(), pin.newest.pepper.hex(), signer.seed().hex()]
    secrets.append((served.data / "master.key").read_bytes().hex())
    with sqlite3.connect(served.data / "central.sqlite3") as database:
        dump = "\n".join(database.iterdump()).lower()
    database.close()
    for secret in secrets:
        assert len(secret) >= 32
        assert secret not in dump
    for person in served.summary["people"]:
        assert f"'{person['pin']}'" not in dump


def test_the_sample_data_has_every_kind(served: Served) -> None:
    summary = served.summary
    assert len(summary["stations"]) == 13
    assert len(summary["people"]) == 40
    assert len(summary["keys"]) == 76
    emergency = Counter(key["unit"] for key in summary["keys"] if key["kind"] == 2 and key["status"] == "active")
    assert set(emergency.values()) == {3}, "the routine's number in each unit"
    assert len(summary["locks"]) == 300
    assert len(summary["areas"]) == 9
    assert min(lock["lock"] for lock in summary["locks"]) == 101
    assert {key["kind"] for key in summary["keys"]} == {0, 1, 2}
    assert {key["status"] for key in summary["keys"]} == {"active", "blocked", "returned", "blank"}
    assert len({person["pin"] for person in summary["people"]}) == 40
    (signer,) = [decoded(key) for key in summary["site"]["central_keys"]]
    handed_out = [key for key in summary["keys"] if key["status"] != "blank"]
    assert {path.name for path in served.keys.iterdir()} == {str(key["key"]) for key in handed_out}
    for key in handed_out:
        record = verify(KeyRecord, (served.keys / str(key["key"]) / "id").read_bytes(), [signer])
        assert (record.key, record.kind, record.unit) == (key["key"], key["kind"], key["unit"])


def test_sample_pins_are_the_people_s(served: Served) -> None:
    person = served.summary["people"][4]
    (tag,) = keyring.pin_secrets(Site.objects.get(number=1)).tags(person["pin"])
    assert Holder.objects.get(site__number=1, pin_tag=tag).number == person["holder"]


def test_seeding_twice_is_refused(served: Served) -> None:
    result = run("seed", "--data", str(served.data))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("central: not_empty")
    assert result.stderr.count("\n") == 1


def test_codes_are_printed_by_command(served: Served, caller: Caller) -> None:
    result = run("enrol-code", "--station", "2", "--data", str(served.data))
    assert caller.enrol(result.stdout.strip()).json()["station"] == 2
    blank = next(key["key"] for key in served.summary["keys"] if key["status"] == "blank" and key["kind"] == 1)
    result = run("provision-code", "--key", str(blank), "--data", str(served.data))
    answer = caller.http.post("/provision", json={"code": result.stdout.strip()})
    assert answer.json()["key"]["id"] == blank
    assert run("enrol-code", "--station", "99", "--data", str(served.data)).returncode == 1


def test_wrong_usage_is_2_and_help_has_an_example() -> None:
    assert run("serve", "--nonsense").returncode == 2
    for command in ("serve", "seed", "enrol-code", "provision-code", "manage"):
        result = run(command, "--help")
        assert result.returncode == 0
        assert "example: central" in result.stdout


def test_manage_is_djangos(served: Served) -> None:
    result = run("manage", "--data", str(served.data), "makemigrations", "--check", "--dry-run")
    assert (result.returncode, result.stdout) == (0, "No changes detected\n")


@pytest.mark.slow
def test_a_server_starts_on_an_empty_folder_and_ends_on_sigterm(tmp_path: Path) -> None:
    data = tmp_path / "new"
    process = subprocess.Popen(
        [sys.executable, "-m", "central.cli", "serve", "--data", str(data), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    url = process.stdout.readline().split()[-1]
    with httpx.Client(base_url=url) as http:
        assert http.get("/healthz").json() == {"status": "ok"}
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert errors == ""


@pytest.mark.slow
def test_a_killed_server_leaves_no_worker_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "central.cli", "serve", "--data", str(tmp_path / "d"), "--port", "0"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    url = process.stdout.readline().split()[-1]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    # The worker holds the other end of this pipe: it reads to its end when the worker is gone.
    assert process.stdout.read() == ""
    process.stdout.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz", timeout=2)
