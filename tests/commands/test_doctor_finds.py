"""`station doctor` on broken machines: a table of what is broken, and what it says."""

import fcntl
import json
import os
import pty
import sqlite3
import subprocess
import tempfile
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import config
from station.commands.status import status_of
from tests.running_site import RunningSite
from tests.services.test_full_disk import fill

pytestmark = pytest.mark.slow

SOMEBODY = 54321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes an administrator")


@dataclass
class Machine:
    """A copy of a station that is well."""

    site: RunningSite
    folder: Path
    after: ExitStack = field(default_factory=ExitStack)

    @property
    def file(self) -> Path:
        return self.folder / "station.toml"

    @property
    def database(self) -> Path:
        return self.folder / "station.db"

    def says(self, before: str, after: str) -> None:
        """In its station.toml."""
        text = self.file.read_text("utf-8")
        assert before in text
        self.file.write_text(text.replace(before, after), "utf-8")

    def port(self, port: object) -> None:
        self.says(str(self.site.world.home.line.path), str(port))

    def url(self, url: str, more: str = "") -> None:
        self.says(f'url = "{self.site.world.home.url}"', f'url = "{url}"{more}')

    def keeps_data_at(self, path: str) -> None:
        self.file.write_text(f'{self.file.read_text("utf-8")}\n[storage]\ndatabase = "{path}"\n', "utf-8")

    def synced(self) -> None:
        assert self.site.station("sync", folder=self.folder).returncode == 0

    def credential(self, name: str, value: object) -> None:
        path = self.folder / "credentials.json"
        document = json.loads(path.read_text())
        path.write_text(json.dumps({**document, name: value}))

    def mount(self, options: str = "size=4m") -> None:
        """Another disk in the place of the database's folder, which becomes ``data``."""
        disk = self.folder / "data"
        disk.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", disk], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("this machine's administrator may not mount")
        self.after.callback(lambda: subprocess.run(["umount", "--lazy", disk], check=True))
        self.keeps_data_at(f"{disk}/station.db")


@pytest.fixture
def machine(site: RunningSite, tmp_path: Path) -> Iterator[Machine]:
    site.copy_station(tmp_path)
    made = Machine(site, tmp_path)
    with made.after:
        yield made


def read_only(machine: Machine, *, has_database: bool = True) -> None:
    machine.mount()
    if has_database:
        machine.synced()
    subprocess.run(["mount", "-o", "remount,ro", machine.folder / "data"], check=True)


def full(machine: Machine) -> None:
    machine.mount()
    machine.synced()
    fill(machine.folder / "data")


def newer(machine: Machine) -> None:
    machine.synced()
    with sqlite3.connect(machine.database) as db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('station', 'of the future')")


def stuck(machine: Machine) -> None:
    ours, theirs = pty.openpty()
    machine.after.callback(os.close, ours)
    machine.after.callback(os.close, theirs)
    termios.tcflow(theirs, termios.TCOOFF)
    machine.port(os.ttyname(theirs))


def busy(machine: Machine) -> None:
    ours, theirs = pty.openpty()
    machine.after.callback(os.close, ours)
    machine.after.callback(os.close, theirs)
    fcntl.flock(theirs, fcntl.LOCK_EX)
    machine.port(os.ttyname(theirs))


@contextmanager
def in_use(machine: Machine, folder: Path | None = None) -> Iterator[None]:
    with ((folder or machine.folder) / "station.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def left_behind(machine: Machine) -> None:
    """An earlier kiosk's last words, and another command that has the database."""
    machine.synced()
    (machine.folder / "status.json").write_text(json.dumps({"format": 1, "pid": 2**22 - 1, "reader": "empty"}))
    machine.after.enter_context(in_use(machine))


def hung(machine: Machine) -> None:
    """A kiosk that is alive and has not written for an hour."""
    machine.synced()
    words = {"format": 1, "pid": os.getpid(), "reader": "empty", "written_boottime_s": -3600, "outbox": 0}
    (machine.folder / "status.json").write_text(json.dumps(words))
    machine.after.enter_context(in_use(machine))


def owned_by_another(machine: Machine) -> None:
    machine.synced()
    os.chown(machine.database, SOMEBODY, SOMEBODY)


def unwritable(machine: Machine) -> None:
    machine.synced()
    machine.database.chmod(0o400)


Break = Callable[[Machine], object]

TABLE: dict[str, tuple[Break, str, str, str]] = {
    "no port": (lambda m: m.port("/dev/station-no-such-port"), "key reader", "no such serial port", "key_reader.port"),
    "a file as port": (lambda m: m.port(m.file), "key reader", "no serial port", "/dev/serial/by-id"),
    "an adapter that takes no byte": (stuck, "key reader", "takes nothing", "unplug it"),
    "a port that is taken": (busy, "key reader", "another program", "stop the kiosk"),
    "a search that is none": (lambda m: m.port("hwgrep://["), "configuration", "hwgrep", "station config check"),
    "central is down": (lambda m: m.url("http://127.0.0.1:1"), "central", "refuses", "central server"),
    "a name nobody knows": (lambda m: m.url("https://central.invalid"), "central", "not known", "name server"),
    "a token that is refused": (lambda m: m.credential("token", "an-invented-token"), "token", "token", "enrol again"),
    "credentials for all": (
        lambda m: (m.folder / "credentials.json").chmod(0o644),
        "credentials",
        "others may read",
        "chmod 600",
    ),
    "no credentials": (
        lambda m: (m.folder / "credentials.json").unlink(),
        "credentials",
        "no such file",
        "station enrol",
    ),
    "half of the credentials": (
        lambda m: (m.folder / "credentials.json").write_text("{"),
        "credentials",
        "not JSON",
        "station enrol",
    ),
    "a certificate that is none": (lambda m: m.credential("certificate", "AAAA"), "certificate", "record", "enrol"),
    "another profile": (
        lambda m: m.says("[station]\n", '[station]\nprofile = "update-box"\n'),
        "certificate",
        "profile",
        "profile",
    ),
    "a table nobody knows": (
        lambda m: m.file.write_text(m.file.read_text() + "\n[statoin]\n"),
        "configuration",
        "statoin",
        "station config check",
    ),
    "no configuration": (lambda m: m.file.unlink(), "configuration", "no such file", "station config check"),
    "a database that is none": (
        lambda m: m.database.write_bytes(b"no database" * 100),
        "database",
        "damaged",
        "move it away",
    ),
    "a database of a newer program": (newer, "database", "newer program", "install that version"),
    "no folder": (
        lambda m: m.keeps_data_at("nowhere/station.db"),
        "disk",
        "is not there",
        "make the folder",
    ),
    "a read-only disk": (read_only, "disk", "read-only", "dmesg"),
    "a database on a read-only disk": (read_only, "database", "takes no writes", "dmesg"),
    "a read-only disk, no database": (lambda m: read_only(m, has_database=False), "disk", "read-only", "dmesg"),
    "a full disk": (full, "disk", "is full", "free some space"),
    "root's database": (owned_by_another, "owners", str(SOMEBODY), "chown"),
    "a database nobody may write": (
        unwritable,
        "owners",
        "its owner",
        "chmod u+w",
    ),
    "a kiosk that hangs": (hung, "kiosk", "not said anything", "0 and 2"),
}
TAKES_ROOT = {name for name in TABLE if "disk" in name or "root" in name}


@pytest.mark.parametrize("broken", [pytest.param(name, marks=as_root if name in TAKES_ROOT else ()) for name in TABLE])
def test_doctor_finds(machine: Machine, broken: str) -> None:
    spoil, check, what, mend = TABLE[broken]
    spoil(machine)
    told = machine.site.json("doctor", code=1, folder=machine.folder)
    assert told["ok"] is False
    failed = [each for each in told["checks"] if each["level"] == "FAIL" and each["check"] == check]
    assert any(what in each["what"] and mend in each["mend"] for each in failed), told["checks"]


def test_a_status_that_an_earlier_kiosk_left_is_no_kiosk_that_hangs(machine: Machine) -> None:
    left_behind(machine)
    told = machine.site.json("doctor", folder=machine.folder)
    (kiosk,) = [each for each in told["checks"] if each["check"] == "kiosk"]
    assert kiosk["level"] == "warn"
    assert "0 and 2" not in kiosk["mend"]


@as_root
def test_a_small_disk_under_a_kiosk_is_not_called_one_that_takes_nothing(machine: Machine) -> None:
    machine.mount()
    machine.synced()
    machine.after.enter_context(in_use(machine, machine.folder / "data"))
    told = machine.site.json("doctor", code=1, folder=machine.folder)
    (database,) = [each for each in told["checks"] if each["check"] == "database"]
    assert (database["level"], "cannot be written" in database["what"]) == ("FAIL", False)
    assert "free some space" in database["mend"]


def test_doctor_leaves_nothing_behind(machine: Machine) -> None:
    before = sorted(path.name for path in machine.folder.iterdir())
    machine.site.json("doctor", folder=machine.folder)
    assert sorted(path.name for path in machine.folder.iterdir()) == before


def test_status_makes_nothing(machine: Machine) -> None:
    before = sorted(path.name for path in machine.folder.iterdir())
    told = machine.site.json("status", folder=machine.folder)
    assert told["kiosk"] is False
    assert told["mirror_age_s"] is None
    assert sorted(path.name for path in machine.folder.iterdir()) == before


def test_status_asks_for_no_other_disk_than_the_database_s(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that went read-only has its temporary folders on it."""
    machine.synced()
    monkeypatch.setattr(tempfile, "tempdir", str(machine.folder / "nowhere"))
    monkeypatch.chdir(machine.folder)
    assert status_of(config.load(machine.file))["mirror_age_s"] is not None


@as_root
def test_what_root_makes_belongs_to_the_service(machine: Machine) -> None:
    os.chown(machine.folder, SOMEBODY, SOMEBODY)
    (machine.folder / "credentials.json").chmod(0o600)
    machine.keeps_data_at("data/more/station.db")
    machine.synced()
    made = list((machine.folder / "data").rglob("*"))
    assert {path.name for path in made} >= {"more", "station.db", "station.db.lock"}
    assert {path.stat().st_uid for path in (machine.folder / "data", *made)} == {SOMEBODY}
