"""The other files for a machine: udev's rules, users, folders, kernel settings, and that the how-to names them all."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config.models import KeyReaderTable

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
HOW_TO = ROOT / "docs" / "how-to" / "raspberry-pi.md"
RULES = DEPLOY / "udev" / "70-station.rules"
PAIR = re.compile(
    r'(ACTION|KERNEL|SUBSYSTEMS?|DRIVERS?|ATTRS?\{[\w/]+\}|ENV\{\w+\}|SYMLINK|GROUP|MODE|OWNER|TAG)(==|!=|\+=|:=|=)"([^"]*)"'
)


def rules() -> list[list[tuple[str, str, str]]]:
    found = []
    for line in RULES.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            parts = re.split(r",\s*", line)
            matches = [PAIR.fullmatch(part) for part in parts]
            assert all(matches), f"not udev's form: {line}"
            found.append([(m[1], m[2], m[3]) for m in matches if m is not None])
    return found


def test_every_rule_matches_something_before_it_sets_anything() -> None:
    for rule in rules():
        assert rule[0][1] == "==" or rule[1][1] == "==", rule
        assert any(operator in {"=", "+="} for _, operator, _ in rule), rule
        assert any(key == "SUBSYSTEM" and operator == "==" for key, operator, _ in rule), rule


def test_the_reader_has_the_name_that_is_the_default() -> None:
    port = KeyReaderTable().port
    links = [(rule, value) for rule in rules() for key, operator, value in rule if (key, operator) == ("SYMLINK", "+=")]
    assert f"/dev/{links[0][1]}" == str(port)
    for rule, _ in links:
        assert ("GROUP", "=", "station") in rule, "only the station's user gets at it"
        (mode,) = [value for key, _, value in rule if key == "MODE"]
        assert int(mode, 8) & 0o007 == 0


def test_the_keypad_has_the_name_that_the_unit_asks_for() -> None:
    (keypad,) = re.findall(r"--keypad (\S+)", (DEPLOY / "systemd" / "station.service").read_text("utf-8"))
    assert any(key == "SYMLINK" and f"/dev/{value}" == keypad for rule in rules() for key, _, value in rule)


def test_adapters_answer_at_once_and_stay_awake() -> None:
    assert any(("ATTR{latency_timer}", "=", "1") in rule for rule in rules())
    assert any(("ATTR{power/control}", "=", "on") in rule for rule in rules())


def test_no_keyboard_gets_beside_the_kiosk() -> None:
    assert "kernel.sysrq = 0" in (DEPLOY / "sysctl" / "60-station.conf").read_text("utf-8").splitlines()
    logind = (DEPLOY / "logind" / "60-station.conf").read_text("utf-8").splitlines()
    assert {"NAutoVTs=0", "ReserveVT=0", "HandlePowerKey=ignore"} <= set(logind)


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not installed")
def test_users_that_cannot_log_in(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    files = [str(path) for path in sorted((DEPLOY / "sysusers").glob("*.conf"))]
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", *files], check=True, capture_output=True)
    users = {line.split(":")[0]: line.split(":") for line in (tmp_path / "etc/passwd").read_text("utf-8").splitlines()}
    for name in ("station", "central"):
        assert users[name][5] == f"/var/lib/{name}"
        assert users[name][6].endswith("nologin")
    assert {"station", "central"} <= {
        line.split(":")[0] for line in (tmp_path / "etc/group").read_text("utf-8").splitlines()
    }


@pytest.mark.skipif(shutil.which("systemd-tmpfiles") is None, reason="systemd-tmpfiles is not installed")
@pytest.mark.skipif(os.geteuid() != 0, reason="folders of root are made by root")
def test_folders(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n", "utf-8")
    (tmp_path / "etc/group").write_text("root:x:0:\n", "utf-8")
    command = ["systemd-tmpfiles", "--create", f"--root={tmp_path}", str(DEPLOY / "tmpfiles" / "station.conf")]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "etc/station").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "etc/credstore").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("path", sorted(path for path in DEPLOY.rglob("*") if path.is_file()), ids=lambda p: p.name)
def test_the_how_to_says_where_each_file_goes(path: Path) -> None:
    assert str(path.relative_to(ROOT)) in HOW_TO.read_text("utf-8")


def test_every_file_that_the_how_to_names_is_there() -> None:
    named = re.findall(r"deploy/[\w/.-]+\.(?:service|rules|conf)", HOW_TO.read_text("utf-8"))
    assert named
    for name in named:
        assert (ROOT / name).is_file(), name
