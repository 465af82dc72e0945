"""What systemd says of the units, and what they must say for the station's own promises to hold."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.credentials import NO_CREDENTIALS
from station.supervisor.supervisor import END_LIMIT_S

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
EXPOSURE_LIMITS = {"station": 20, "station-console": 20, "central": 15}
"""Tenths of systemd's exposure level, of 100; below 50 it calls a service OK."""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


class _Unit(dict[str, list[str]]):
    """The settings of one section, each with all of its values in order."""

    def one(self, name: str) -> str:
        (value,) = self[name]
        return value


def unit(name: str, section: str = "Service") -> _Unit:
    parser = configparser.RawConfigParser(strict=False, interpolation=None, dict_type=_Repeated)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(UNITS / f"{name}.service", "utf-8")
    return _Unit({key: value.split("\n") for key, value in parser.items(section)})


class _Repeated(dict):
    """systemd's form repeats a name to add a value."""

    def __setitem__(self, key: str, value: object) -> None:
        if key in self and isinstance(value, list) and isinstance(self[key], list):
            value = self[key] + value
        super().__setitem__(key, value)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with the programs of this environment: a program that is not there is an error of the unit."""
    for path in UNITS.glob("*.service"):
        text = path.read_text("utf-8").replace("/opt/sync-station/.venv", sys.prefix)
        (tmp_path / path.name).write_text(text, "utf-8")
    return tmp_path


def test_all_units_have_a_limit() -> None:
    assert {path.stem for path in UNITS.glob("*.service")} == set(EXPOSURE_LIMITS)


@needs_systemd
@pytest.mark.parametrize("name", EXPOSURE_LIMITS)
def test_verified(units: Path, name: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(units / f"{name}.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    # Other units of this machine are none of our business, nor are its missing console programs.
    ours = [line for line in done.stderr.splitlines() if "station" in line or "central" in line]
    assert ours == []
    assert done.returncode == 0, done.stderr


@needs_systemd
def test_a_wrong_setting_would_be_seen(units: Path) -> None:
    path = units / "station.service"
    path.write_text(path.read_text("utf-8").replace("WatchdogSec=15", "WatchdogSec=soon"), "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True, check=False
    )
    assert "Failed to parse sec value" in done.stderr


@needs_systemd
@pytest.mark.parametrize(("name", "limit"), EXPOSURE_LIMITS.items())
def test_exposure(units: Path, name: str, limit: int) -> None:
    done = subprocess.run(
        [
            *("systemd-analyze", "security", "--no-pager", "--offline=true"),
            *(f"--threshold={limit}", str(units / f"{name}.service")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Overall exposure level" in done.stdout


def allowed_calls(name: str) -> set[str]:
    """The system calls that a unit's filters leave, by systemd's own lists."""
    allowed: set[str] = set()
    for value in unit(name)["SystemCallFilter"]:
        names = _expanded(value.lstrip("~").split())
        allowed = allowed - names if value.startswith("~") else allowed | names
    return allowed


def _expanded(names: list[str]) -> set[str]:
    found = set()
    for name in names:
        if not name.startswith("@"):
            found.add(name)
            continue
        text = subprocess.run(
            ["systemd-analyze", "syscall-filter", "--no-pager", name], capture_output=True, text=True, check=True
        ).stdout
        lines = [line.strip() for line in text.splitlines()[1:]]
        found |= _expanded([line for line in lines if line and not line.startswith("#")])
    return found


@needs_systemd
def test_the_station_may_ask_whether_ntp_keeps_the_clock_and_not_set_it() -> None:
    calls = allowed_calls("station")
    assert {"adjtimex", "clock_adjtime"} <= calls
    assert not {"clock_settime", "settimeofday", "setuid", "chown", "mount", "reboot", "init_module"} & calls
    service = unit("station")
    # ProtectClock forbids the question, too; without the capability nothing can be set.
    assert "ProtectClock" not in service
    assert service.one("CapabilityBoundingSet") == ""


@needs_systemd
@pytest.mark.parametrize("name", ["station", "central"])
def test_what_python_needs_is_allowed(name: str) -> None:
    # A child and its limits, threads, the event loop, the database.
    needed = "clone3 execve prlimit64 prctl futex epoll_wait fsync fcntl flock ioctl setsid getrandom"
    assert set(needed.split()) <= allowed_calls(name)


def test_the_boots_id_can_be_read() -> None:
    assert "ProcSubset" not in unit("station")


def test_the_kiosk_has_time_to_finish_what_it_writes() -> None:
    service = unit("station")
    assert service.one("Type") == "notify"
    assert float(service.one("TimeoutStopSec")) > END_LIMIT_S
    assert float(service.one("WatchdogSec")) >= 3
    assert service.one("Restart") == "always"
    assert unit("station", "Unit").one("StartLimitIntervalSec") == "0"


def test_the_station_owns_the_first_console() -> None:
    service, about = unit("station"), unit("station", "Unit")
    assert service.one("TTYPath") == "/dev/tty1"
    assert service.one("StandardInput") == "tty-force"
    assert "getty@tty1.service" in about["Conflicts"]
    assert "/dev/tty1 rw" in service["DeviceAllow"]


def test_credentials_are_roots_and_never_in_the_command_line() -> None:
    service = unit("station")
    name, _, source = service.one("LoadCredential").partition(":")
    assert name == Path(source).name == "credentials.json"
    # Without a fallback the unit fails before anything is drawn.
    assert service.one("SetCredential") == f"{name}:{NO_CREDENTIALS.decode()}"
    # The service must find nothing at the path itself: what is there comes first, and is root's.
    assert service.one("TemporaryFileSystem") == f"{Path(source).parent}:ro"
    folders = [line.split() for line in (ROOT / "deploy/tmpfiles/station.conf").read_text("utf-8").splitlines()]
    assert ["d", str(Path(source).parent), "0700", "root", "root", "-"] in folders


@pytest.mark.parametrize("name", ["station", "central"])
def test_one_folder_is_writable(name: str) -> None:
    service = unit(name)
    assert service.one("User") == service.one("Group") == name
    assert service.one("ProtectSystem") == "strict"
    assert service.one("StateDirectory") == name
    assert "ReadWritePaths" not in service
    assert service.one("NoNewPrivileges") == service.one("MemoryDenyWriteExecute") == "yes"
    assert service.one("MemoryMax") == {"station": "400M", "central": "1G"}[name]
