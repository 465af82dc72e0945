"""A site changes its central key while a real station, keys and locks go on; and what each step refuses."""

import json
import time
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from central.actions import rotation
from central.actions.codes import new_enrolment_code
from central.errors import CentralError
from central.feed import change_and_sign
from central.models import CentralKey as Announced
from central.models import Site
from station.demo.central_server import DemoFault
from station.ports import KeyFile
from station.records.base64url import decoded, encoded
from station.records.claims import Blocklist, CentralKey, KeyRecord, Permit, StationCertificate
from station.records.envelope import verified
from station.runtime.status_file import FILE_NAME
from tests.central.served import Caller, Served
from tests.central.town import KEYS, Town

pytestmark = pytest.mark.slow


async def believes_the_key(town: Town, key: int) -> None:
    """`station lock try` and `station key show` know the signatures on a key that is on."""
    folder = str(town.world.key_folder(key).path)
    area = (town.world.areas_of(key) or (0,))[0]
    code, said = await town.command(
        "lock", "try", "--lock", str(town.world.lock_in(area)), "--area", str(area), "--state", folder, "--json"
    )
    # This site's time is ahead of the command's: it is what the lock minds, once it has believed all signatures.
    assert json.loads(said)["reason"] in {"opened", "not_yet_valid", "clock_behind"}, said
    code, said = await town.command("key", "show", "--state", folder, "--json")
    assert code == 0
    files = json.loads(said)["files"]
    assert all(files[name]["valid"] for name in ("id", "permit", "cert", "act", "block", "sync")), files


def now_on(town: Town, key: int) -> KeyRecord:
    """The record that a key carries."""
    record = verified(KeyRecord, town.world.key_folder(key).read(KeyFile.ID), believed(town))
    assert record is not None
    return record


def believed(town: Town) -> Any:
    return list(town.station.station.identity.central_keys)


async def test_a_whole_change_of_keys_under_service(town: Town) -> None:
    world = town.world
    (first,) = believed(town)
    await town.switch_on(5001)
    assert town.opens(5001) == "opened"

    with pytest.raises(DemoFault, match="announce the next key first"):
        await town.central("rotate-key", "resign")
    assert "announced" in await town.central("rotate-key", "announce")
    with pytest.raises(DemoFault, match="not_told=1"):
        await town.central("rotate-key", "resign")
    await town.catch_up()
    old, second = believed(town)
    assert old == first
    # Whoever sees to the locks tells them the next key before anything is signed with it.
    world.central_keys = (first, second)
    await town.switch_on(5002)
    assert town.opens(5001) == town.opens(5002) == "opened"

    world.skip(60)
    told = await town.central("rotate-key", "resign")
    assert "resigned" in told
    assert "1 of 1 stations still carry what the old key signed: 1" in told
    await town.catch_up()
    issued = now_on(town, 5001).issued
    for key in KEYS:
        await town.switch_on(key)
        assert town.opens(key) == "opened", key
        assert verified(Permit, world.key_folder(key).read(KeyFile.PERMIT), [second]), "by the new key"
        assert verified(KeyRecord, world.key_folder(key).read(KeyFile.ID), [second]), "while its person typed"
    assert now_on(town, 5001).issued > issued
    blocklist = town.station.station.readiness.blocklist
    assert blocklist is not None
    assert verified(Blocklist, blocklist[0], [second])

    # The record that says which key it is has to be on each key before the old signature is worth nothing.
    with pytest.raises(DemoFault, match=r"stations=- keys=.*in all"):
        await town.central("rotate-key", "retire")
    await town.station.hand_over()
    still = await town.central("rotate-key", "status")
    assert " keys still carry what the old key signed: " in still
    assert "stations" not in still, "it has renewed its certificate"
    assert not any(str(key) in still.split() for key in KEYS)
    # Nobody comes with the others any more: the rest of the sample is taken in.
    await town.take_in_all_but(*KEYS)
    assert await town.central("rotate-key", "status") == "site 1: resigned\n"
    assert "none" in await town.central("rotate-key", "retire")
    await town.catch_up()
    assert believed(town) == [second]
    # The keys that were on stay on at locks that still know both; a new shift is good at those that know one.
    assert all(town.opens(key) == "opened" for key in KEYS)
    for key in KEYS:
        await town.switch_on(key)
    world.central_keys = (second,)
    assert all(town.opens(key) == "opened" for key in KEYS)
    assert not list((world.central.folder / "site-1").glob("signing-1.key"))
    # Commands beside it: what it has learned is in its database, which a running kiosk shares by its status file.
    database = world.home.settings().storage.database
    shared = {"format": 1, "central_keys": [encoded(key) for key in believed(town)]}
    database.with_name(FILE_NAME).write_text(json.dumps(shared), "ascii")
    await believes_the_key(town, 5001)
    database.with_name(FILE_NAME).unlink()
    await town.station.stop()
    await believes_the_key(town, 5001)
    doctor = json.loads((await town.command("doctor", "--json"))[1])
    assert {check["check"]: check["level"] for check in doctor["checks"]}["token"] == "ok"
    await town.station.start()
    assert believed(town) == [second]
    await town.switch_on(5001)


def test_two_changes_one_after_the_other(site: SimpleNamespace, enrolled: Caller, served: Served) -> None:
    now = int(time.time())

    def it() -> Any:
        return Site.objects.get(pk=site.site.pk)

    (first,) = [decoded(key) for key in enrolled.enrolled["central_keys"]]
    with pytest.raises(CentralError, match="sign everything anew first"):
        rotation.retire(it())
    rotation.announce(it(), now)
    rotation.announce(it(), now)
    assert Announced.objects.filter(site=site.site).count() == 1, "said twice, done once"
    (row,) = [each for each in enrolled.snapshot()["objects"] if each["type"] == "central_key"]
    named = verified(CentralKey, decoded(row["record"]), [first])
    assert named is not None
    with httpx.Client(base_url=f"{served.url}/api/v1", timeout=60) as http:
        anew = Caller(http)
        anew.enrol(new_enrolment_code(site.station))
        assert [decoded(key) for key in anew.enrolled["central_keys"]] == [first, named.public_key]
        assert verified(StationCertificate, decoded(anew.enrolled["certificate"]), [first])
        assert anew.http.post("/certificate").status_code == 409
        assert rotation.resign(it(), now, force=True) == 2
        assert rotation.resign(it(), now) == 0, "goes on where it was: nothing is left"
        with pytest.raises(CentralError, match="retire the old key first"):
            rotation.announce(it(), now)
        renewed = anew.http.post("/certificate").json()["certificate"]
        assert verified(StationCertificate, decoded(renewed), [named.public_key])
        assert anew.http.post("/certificate").status_code == 409
    assert rotation.rotation_state(it()).keys == (100,)
    # What a station says of it counts, and nothing that is no time, or another key's.
    site.key.refresh_from_db()
    record = verified(KeyRecord, bytes(site.key.record), [named.public_key])
    assert record is not None
    for number, seen in (
        (100, "soon"),
        (100, True),
        (100, -1),
        (100, record.issued - 1),
        (52, record.issued),
        (100, None),
    ):
        enrolled.reported({"type": "key_synced", "key": number, "data": {"record_issued": seen}})
        assert rotation.rotation_state(it()).keys == (100,), (number, seen)
    enrolled.reported({"type": "key_record_written", "key": 100, "data": {"issued": record.issued}})
    assert rotation.rotation_state(it()).keys == ()
    enrolled.reported({"type": "key_synced", "key": 100, "data": {"record_issued": record.issued - 1}})
    assert rotation.rotation_state(it()).keys == (), "a report that comes late"
    with change_and_sign():
        site.key.record_carried = None
        site.key.save()
    with pytest.raises(CentralError, match="stations=1 keys=100"):
        rotation.retire(it())
    rotation.retire(it(), force=True)
    assert not [each for each in enrolled.snapshot()["objects"] if each["type"] == "central_key"]
    assert not (served.data / f"site-{site.site.number}" / "signing-1.key").exists()
    rotation.announce(it(), now)
    # Also the one before, for a station that slept through the whole first change.
    chain = sorted((each for each in enrolled.snapshot()["objects"] if each["type"] == "central_key"), key=by_number)
    assert [each["id"] for each in chain] == [2, 3]
    assert verified(CentralKey, decoded(chain[0]["record"]), [first])
    assert verified(CentralKey, decoded(chain[1]["record"]), [named.public_key])


def by_number(mirror_object: Any) -> Any:
    return mirror_object["id"]
