"""The credentials file: secret in memory, on the disk and in errors."""

import json
import os
import stat
import traceback
from pathlib import Path
from typing import Any

import pytest

from config import Argon2Cost, ConfigFault, Credentials, Pepper
from config.credentials import NO_CREDENTIALS
from station.records.claims import Role
from station.secret import Secret

TOKEN = "token-hidden-word-1234"
SEED = b"seed-hidden-word".ljust(32, b"!")
PEPPER = b"pepper-hidden-word".ljust(32, b"!")
SALT = b"a salt of a site"
GOOD_PEPPER = {"version": 2, "pepper": "A" * 43}
FIELDS: dict[str, Any] = {
    "station": 7,
    "site": 3,
    "role": Role.UPDATE_BOX,
    "token": Secret(TOKEN),
    "signing_seed": Secret(SEED),
    "certificate": b"\x84certificate",
    "central_keys": (bytes(32), b"\xff" * 32),
    "site_salt": SALT,
    "peppers": (Pepper(version=2, pepper=Secret(PEPPER)), Pepper(version=1, pepper=Secret(bytes(32)))),
    "argon2": Argon2Cost(time=2, memory_kib=19456, lanes=1),
    "pin_digits": 8,
}


@pytest.fixture
def credentials() -> Credentials:
    return Credentials(**FIELDS)


def fault(path: Path, environment: dict[str, str] | None = None) -> ConfigFault:
    with pytest.raises(ConfigFault) as caught:
        Credentials.load(path, environment or {})
    assert "hidden-word" not in "".join(traceback.format_exception(caught.value))
    return caught.value


def test_what_is_saved_is_loaded(tmp_path: Path, credentials: Credentials) -> None:
    path = tmp_path / "credentials.json"
    credentials.save(path)
    loaded = Credentials.load(path, {})
    assert loaded == credentials
    assert loaded.token.reveal() == TOKEN
    assert loaded.signing_seed.reveal() == SEED
    assert loaded.peppers[0].pepper.reveal() == PEPPER
    assert loaded.site_salt == SALT
    assert loaded.central_keys == FIELDS["central_keys"]
    assert loaded.role is Role.UPDATE_BOX


def test_only_the_station_may_read_it(tmp_path: Path, credentials: Credentials) -> None:
    path = tmp_path / "credentials.json"
    path.write_text("old")
    path.chmod(0o644)
    credentials.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_it_shows_nothing(credentials: Credentials) -> None:
    shown = f"{credentials!r} {credentials} {credentials.model_dump()} {vars(credentials)}"
    assert "hidden-word" not in shown
    assert "station=7" in shown


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, credentials: Credentials, mode: int) -> None:
    path = tmp_path / "credentials.json"
    credentials.save(path)
    path.chmod(mode)
    error = fault(path)
    assert error.code == "credentials_exposed"
    assert f"{mode:04o}" in str(error.problems[0])


def test_missing_folder_fifo_and_too_large(tmp_path: Path) -> None:
    assert fault(tmp_path / "none").code == "credentials_missing"
    assert fault(tmp_path).code == "credentials_unreadable"
    os.mkfifo(tmp_path / "fifo", 0o600)
    assert fault(tmp_path / "fifo").code == "credentials_unreadable"
    large = tmp_path / "large"
    large.write_bytes(b" " * 70_000)
    large.chmod(0o600)
    assert fault(large).code == "credentials_too_large"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"peppers": [{"version": 1, "pepper": "hidden-word*"}, GOOD_PEPPER]}, "peppers.0.pepper"),
        ({"signing_seed": "aGlkZGVuLXdvcmQ"}, "signing_seed"),
        ({"token": ["token-hidden-word"]}, "token"),
        ({"token": "token-hidden-word-1234\r\nX: y"}, "token"),
        ({"central_keys": []}, "central_keys"),
        ({"central_keys": ["AAAA", "A" * 43]}, "central_keys.0"),
        ({"role": 3}, "role"),
        ({"station": 0}, "station"),
        ({"argon2": {"time": 2, "memory_kib": 10**9, "lanes": 1}}, "argon2.memory_kib"),
        ({"more": "hidden-word"}, "more"),
    ],
)
def test_a_changed_file_names_the_field_alone(
    tmp_path: Path, credentials: Credentials, change: dict[str, object], key: str
) -> None:
    path = tmp_path / "credentials.json"
    credentials.save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    error = fault(path)
    assert error.code == "credentials_invalid"
    assert [problem.key for problem in error.problems] == [key]


@pytest.mark.parametrize("content", ["", "{", "[]", '"hidden-word"', '{"token": "hidden-word'])
def test_garbage(tmp_path: Path, content: str) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(content)
    path.chmod(0o600)
    assert fault(path).code == "credentials_invalid"


def test_the_units_fallback_is_no_credentials(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_bytes(NO_CREDENTIALS + b"\n")
    (tmp_path / "credentials.json").chmod(0o440)
    with pytest.raises(ConfigFault) as caught:
        Credentials.load(tmp_path / "etc" / "credentials.json", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert caught.value.code == "credentials_missing"
    assert "station enrol" in str(caught.value.problems[0])


def test_a_systemd_credential_serves_where_there_is_no_file(tmp_path: Path, credentials: Credentials) -> None:
    handed = tmp_path / "handed"
    handed.mkdir()
    credentials.save(handed / "credentials.json")
    # systemd's access list for the service's user shows as the group's right.
    (handed / "credentials.json").chmod(0o440)
    own = tmp_path / "credentials.json"
    environment = {"CREDENTIALS_DIRECTORY": str(handed)}
    assert Credentials.load(own, environment) == credentials
    (handed / "credentials.json").chmod(0o444)
    assert fault(own, environment).code == "credentials_exposed"
    newer = credentials.model_copy(update={"certificate": b"newer"})
    newer.save(own)
    assert Credentials.load(own, environment) == newer


def test_an_unwritable_place(tmp_path: Path, credentials: Credentials) -> None:
    with pytest.raises(ConfigFault) as caught:
        credentials.save(tmp_path / "none" / "credentials.json")
    assert caught.value.code == "credentials_unwritable"
