"""A backup is made under service; restored, it is a new epoch that a real station follows without losing service."""

import io
import json
import sqlite3
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from station.demo.central_server import DemoFault
from station.ports import KeyFile
from station.records.claims import KeyRecord
from station.records.envelope import verified
from station.sync.client import CentralUnreachable
from tests.central import postgresql
from tests.central.served import central
from tests.central.town import Town

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.nightly)])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """In which the town's central keeps what it has."""
    if request.param == "sqlite":
        monkeypatch.delenv("DATABASE_URL", raising=False)
        yield request.param
    else:
        with postgresql.server() as server:
            monkeypatch.setenv("DATABASE_URL", server.url())
            yield request.param


@pytest.mark.usefixtures("database")
async def test_a_station_goes_on_across_a_restore(town: Town, tmp_path: Path) -> None:
    world, station = town.world, town.station
    mirror, identity = station.station.mirror, station.station.identity
    await town.switch_on(5001)
    await station.hand_over()
    # In the middle of a change of the central key.
    assert "make a backup now" in await town.central("rotate-key", "begin")
    await town.catch_up()
    first, second = world.central_keys = identity.central_keys
    file = tmp_path / "central.tar"
    await town.central("backup", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    # What happens after the backup: signed later, and lost with the server.
    world.skip(60)
    await world.central.manage("block_key", "5003")
    await world.give_new_pin(1002)
    await world.central.manage("revoke_station", "2")
    await town.central("rotate-key", "sign")
    await town.catch_up()
    before = mirror.state
    permits = {each.id: each.body for each in await station.station.store.objects("permit")}
    with pytest.raises(DemoFault, match="serving"):
        await town.central("restore", str(file), "--replace")

    await town.end_central()
    # Nobody waits for central: the station works by its mirror.
    await town.switch_on(5001)
    carried = verified(KeyRecord, world.key_folder(5001).read(KeyFile.ID), [second])
    assert carried is not None
    with pytest.raises(DemoFault, match="not_empty"):
        await town.central("restore", str(file))
    world.skip(60)
    told = await town.central("restore", str(file), "--replace")
    assert "closed to stations" in told
    assert "site 1: the renewal of PINs of" in told
    await town.begin_central()
    # Until somebody has seen from when it is, a station works by what it knows, and what it tells waits.
    await town.catch_up()
    assert mirror.state.epoch == before.epoch
    await town.switch_on(5001)
    with pytest.raises(CentralUnreachable, match="503") as told_to_wait:
        await station.hand_over()
    assert told_to_wait.value.retry_after_s == 60
    assert await station.station.store.pending_count() > 0
    assert "signed anew" in await town.central("manage", "open_after_restore", "--yes")
    world.skip(60)
    await town.catch_up()
    assert mirror.state.epoch != before.epoch
    # The keys are as central has them now: the permits signed since, and not the later ones of the lost database.
    now = {each.id: each.body for each in await station.station.store.objects("permit")}
    assert now.keys() == permits.keys()
    assert all(town.revision(now[number]) > town.revision(permits[number]) for number in now)
    await town.switch_on(5001)
    assert town.opens(5001) == "opened"
    # What the backup did not know of stays shut here, and is told, until a coordinator has confirmed it.
    await station.insert(5003)
    await town.comes(lambda screen: screen.line == "refused")
    await station.pull()
    await station.hand_over()
    words = "from central.actions.went_back import confirm", "from central.models import Task"
    confirm = "[confirm(task, 'Kim') for task in Task.objects.filter(kind='went_back', key__number=5003, done_at=None)]"
    await world.central.manage("shell", "-c", "; ".join([*words, confirm]))
    await town.catch_up()
    await town.switch_on(5003)
    assert town.opens(5003) == "opened"
    # The key that signed then signs again, with higher numbers than the next one has used meanwhile.
    assert identity.central_keys == (first, second)
    newer = verified(KeyRecord, world.key_folder(5001).read(KeyFile.ID), [first])
    assert newer is not None
    assert newer.issued > carried.issued
    # What the station reports goes in, and nothing is there twice: one visit before the backup, one without central,
    # one while it was closed, one after that.
    await station.hand_over()
    assert await station.station.store.pending_count() == 0
    found = "Event.objects.filter(type='key_activated', key=5001).count()"
    count = f"from central.models import Event; print({found})"
    assert (await world.central.manage("shell", "--no-imports", "-c", count)).split()[-1] == "4"
    # And it may be blocked again.
    await world.central.manage("block_key", "5003")
    await town.catch_up()
    blocklist = station.station.readiness.blocklist_claims
    assert blocklist is not None
    assert 5003 in blocklist.blocked_keys


@pytest.fixture
def seeded(tmp_path: Path) -> Path:
    central("seed", "--json", data=tmp_path / "data")
    return tmp_path / "data"


def restored(file: Path, data: Path) -> None:
    central("restore", str(file), "--replace", data=data)
    assert "signed anew" in central("manage", "open_after_restore", "--yes", data=data)


def refused(*words: str, data: Path) -> str:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        central(*words, data=data)
    assert caught.value.returncode == 1
    return str(caught.value.stderr)


def rewritten(file: Path, target: Path, **parts: Any) -> Path:
    """A copy of the archive with other parts; None: left out."""
    with tarfile.open(file) as source, tarfile.open(target, "w") as out:
        for member in source:
            content = source.extractfile(member)
            assert content is not None
            data = parts.pop(member.name, content.read())
            if data is not None:
                member.size = len(data)
                out.addfile(member, io.BytesIO(data))
        for name, data in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            out.addfile(member, io.BytesIO(data))
    return target


def test_what_is_no_whole_backup_changes_nothing(seeded: Path, tmp_path: Path) -> None:
    file = tmp_path / "good.tar"
    central("backup", str(file), data=seeded)
    assert "a file of that name" in refused("backup", str(file), data=seeded)
    key = (seeded / "master.key").read_bytes()
    broken: dict[str, dict[str, Any]] = {
        "database": {"central.sqlite3": b"SQLite format 3\0" + b"x" * 5000},
        "nokey": {"master.key": None},
        "manifest": {"manifest.json": b'{"format": 1}'},
        "older": {"manifest.json": b'{"format": 2, "database": "sqlite"}'},
        "another": {"manifest.json": b'{"format": 2, "database": "postgresql", "secrets": {}}'},
        "escape": {"../outside": b"x"},
        "strange": {"site-1/other.key": b"x"},
    }
    for name, parts in broken.items():
        bad = rewritten(file, tmp_path / f"{name}.tar", **parts)
        assert "central: restore" in refused("restore", str(bad), "--replace", data=seeded), name
    cut = tmp_path / "cut.tar"
    cut.write_bytes(file.read_bytes()[:20_000])
    assert "central: restore" in refused("restore", str(cut), "--replace", data=seeded)
    assert (seeded / "master.key").read_bytes() == key
    assert not (tmp_path / "outside").exists()
    assert not list(seeded.glob(".restore-*"))
    # The next central key is out: stations believe what it signs, or will; this backup cannot sign with it.
    assert "make a backup now" in central("rotate-key", "begin", data=seeded)
    assert "before a change of the central key" in refused("restore", str(file), "--replace", data=seeded)
    new = tmp_path / "new"
    told = central("restore", str(file), data=new)
    assert "closed to stations" in told
    assert "central key 1 signs; without a later one" in told
    assert (new / "master.key").read_bytes() == key
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in new.glob("**/*") if path.is_file())


def test_revisions_never_go_back(seeded: Path, tmp_path: Path) -> None:
    def facts(data: Path) -> Any:
        with sqlite3.connect(data / "central.sqlite3") as database:
            (value,) = database.execute("SELECT value FROM central_feedcounter").fetchone()
            (epoch,) = database.execute("SELECT value FROM central_serverfact WHERE name = 'epoch'").fetchone()
            (told,) = database.execute("SELECT content FROM central_mirrorrow WHERE type = 'site'").fetchone()
            assert json.loads(told)["epoch"] == epoch, "what heads confirm is that of the cursors"
            permits = dict(database.execute("SELECT permission_id, revision FROM central_permit"))
            codes = database.execute("SELECT count(*) FROM central_enrolmentcode").fetchone()
        database.close()
        return value, epoch, permits, codes

    file = tmp_path / "good.tar"
    central("backup", str(file), data=seeded)
    value, epoch, permits, codes = facts(seeded)
    assert codes == (1,)
    restored(file, seeded)
    once = facts(seeded)
    assert once[0] > 1_700_000_000 > value, "max(last + 1, Unix seconds), and signed anew since"
    assert once[1] != epoch
    assert all(once[2][number] > revision for number, revision in permits.items())
    assert once[3] == (0,), "a code that was open then may have been used since"
    restored(file, seeded)
    again = facts(seeded)
    assert again[1] not in {epoch, once[1]}
    assert again[0] >= value
