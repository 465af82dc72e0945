"""A site changes its central key while a real station, keys and locks go on; and what each step refuses."""

import json
import os
import time
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from central.actions import rotation
from central.actions.codes import new_enrolment_code
from central.actions.tasks import open_went_back_task
from central.actions.went_back import confirm
from central.errors import CentralError
from central.feed import change_and_sign
from central.models import CentralKey as Link
from central.models import SealedSecret, Site, Station
from central.signing import keyring
from station.demo.central_server import DemoFault
from station.ports import KeyFile
from station.records.base64url import decoded, encoded
from station.records.central_chain import CentralChain
from station.records.claims import Blocklist, CentralKey, Head, KeyRecord, Permit, StationCertificate, TimeAnswer
from station.records.envelope import claimed, verified
from station.runtime.status_file import FILE_NAME
from tests.central.mirror_copy import MirrorCopy
from tests.central.served import Caller, Served
from tests.central.site import saved
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

    with pytest.raises(DemoFault, match="begin with the next key first"):
        await town.central("rotate-key", "sign")
    await town.station.stop()
    assert "begun" in await town.central("rotate-key", "begin")
    with pytest.raises(DemoFault, match="stations=1"):
        await town.central("rotate-key", "sign")
    await town.station.start()
    await town.catch_up()
    old, second = believed(town)
    assert old == first
    # Whoever sees to the locks tells them the next key before anything is signed with it.
    world.central_keys = (first, second)
    await town.switch_on(5002)
    assert town.opens(5001) == town.opens(5002) == "opened"

    # It asked for a certificate by the next key before that one signs, and asks again in an hour.
    world.skip(3700)
    told = await town.central("rotate-key", "sign")
    assert "signed" in told
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
        await town.central("rotate-key", "current")
    await town.station.hand_over()
    still = await town.central("rotate-key", "status")
    assert " keys still carry what the old key signed: " in still
    assert "stations" not in still, "it has renewed its certificate"
    assert not any(str(key) in still.split() for key in KEYS)
    # Nobody comes with the others any more: the rest of the sample is taken in.
    await town.take_in_all_but(*KEYS)
    assert await town.central("rotate-key", "status") == "site 1: signed\n"
    assert "site 1: current" in await town.central("rotate-key", "current")
    await town.catch_up()
    assert believed(town) == [second]
    assert "none" in await town.central("rotate-key", "retire")
    # The keys that were on stay on at locks that still know both; a new shift is good at those that know one.
    assert all(town.opens(key) == "opened" for key in KEYS)
    for key in KEYS:
        await town.switch_on(key)
    world.central_keys = (second,)
    assert all(town.opens(key) == "opened" for key in KEYS)
    kept = "from central.models import SealedSecret; print('kept', SealedSecret.objects.filter(kind='signing').count())"
    assert "kept 1" in await world.central.manage("shell", "--no-imports", "-c", kept)
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


def it(site: SimpleNamespace) -> Site:
    return Site.objects.get(pk=site.site.pk)


def links(copy: MirrorCopy) -> list[tuple[int, str]]:
    return [(each["id"], each["status"]) for each in copy.all("central_key")]


def whole_change(site: SimpleNamespace, now: int) -> None:
    """All steps, whatever they cost."""
    rotation.begin(it(site), now)
    rotation.sign_anew(it(site), now, force=True)
    rotation.make_current(it(site), force=True)
    rotation.retire(it(site), force=True)


def test_a_change_step_by_step(site: SimpleNamespace, enrolled: Caller, served: Served) -> None:
    now = int(time.time())
    online, asleep = MirrorCopy(enrolled), MirrorCopy(enrolled)
    (first,) = online.chain.verifying()
    with pytest.raises(CentralError, match="begin with the next key first"):
        rotation.sign_anew(it(site), now)
    rotation.begin(it(site), now)
    rotation.begin(it(site), now)
    assert Link.objects.filter(site=site.site).count() == 1, "said twice, done once"
    with pytest.raises(CentralError, match="stations=1 keys=-"):
        rotation.sign_anew(it(site), now)
    online.follow()
    assert links(online) == [(1, "next")]
    online.follow()
    _, second = online.chain.verifying()
    assert online.chain.head_signer() == first
    with httpx.Client(base_url=f"{served.url}/api/v1", timeout=60) as http:
        anew = Caller(http)
        anew.enrol(new_enrolment_code(site.station))
        assert [decoded(key) for key in anew.enrolled["central_keys"]] == [first, second]
        assert verified(StationCertificate, decoded(anew.enrolled["certificate"]), [first])
    MirrorCopy(enrolled).follow()
    early = enrolled.http.post("/certificate")
    assert (early.status_code, early.json()["error"]) == (409, "too_early")

    # Records are the next key's from now on; heads and the time are not.
    record = KeyOf(site)
    before = record.issued_by(first)
    assert rotation.sign_anew(it(site), now) == 2
    assert rotation.sign_anew(it(site), now) == 0, "goes on where it was: nothing is left"
    assert record.issued_by(second) > before, "later, also within a second"
    with pytest.raises(CentralError, match="retire the old key first"):
        rotation.begin(it(site), now)
    with pytest.raises(CentralError, match="make the next key current first"):
        rotation.retire(it(site))
    online.follow()
    assert online.chain.head_signer() == first
    assert time_signer(served, site) == first
    for each in (*online.all("permit"), *online.all("blocklist"), *online.all("key")):
        kind = {"permit": Permit, "blocklist": Blocklist, "key": KeyRecord}[each["type"]]
        assert verified(kind, decoded(each["record"]), [second]), each["type"]
    with pytest.raises(CentralError, match="stations=1 keys=100"):
        rotation.make_current(it(site))
    renewed = enrolled.http.post("/certificate").json()["certificate"]
    assert verified(StationCertificate, decoded(renewed), [second]), "at once: the one before was by the older key"
    assert enrolled.http.post("/certificate").status_code == 409
    assert rotation.rotation_state(it(site)).stations == ()
    # What a station says of it counts, and nothing that is no time, or another key's.
    issued = record.issued_by(second)
    for number, seen in ((100, "soon"), (100, True), (100, -1), (100, issued - 1), (100, issued + 1), (52, issued),
                         (100, None)):  # fmt: skip
        enrolled.reported({"type": "key_synced", "key": number, "data": {"record_issued": seen}})
        assert rotation.rotation_state(it(site)).keys == (100,), (number, seen)
    enrolled.reported({"type": "key_record_written", "key": 100, "data": {"issued": issued}})
    assert rotation.rotation_state(it(site)).is_safe
    enrolled.reported({"type": "key_synced", "key": 100, "data": {"record_issued": issued - 1}})
    assert rotation.rotation_state(it(site)).is_safe, "a report that comes late"

    rotation.make_current(it(site))
    assert time_signer(served, site) == second
    with pytest.raises(CentralError, match="stations=1 keys=-"):
        rotation.retire(it(site))
    online.follow()
    assert (links(online), online.chain.head_signer()) == ([(1, "current")], second)
    online.follow()
    rotation.retire(it(site))
    assert rotation.rotation_state(it(site)).step == rotation.Step.NONE
    kept = SealedSecret.objects.filter(site=site.site, kind="signing")
    assert list(kept.values_list("number", flat=True)) == [2]
    online.follow()
    assert online.chain.verifying() == (second,)
    asleep.follow()
    assert (asleep.objects, asleep.chain) == (online.objects, online.chain), "slept through all of it"


def test_nothing_is_signed_anew_before_it_is_decided_what_a_restored_server_opens(site: SimpleNamespace) -> None:
    """A key that is told anew is open again at every station that kept it shut."""
    now = int(time.time())
    before = site.key.record
    task = open_went_back_task(site.key, "blocked")
    rotation.begin(it(site), now)
    with pytest.raises(CentralError, match="decide first"):
        rotation.sign_anew(it(site), now)
    site.key.refresh_from_db()
    assert bytes(site.key.record) == bytes(before)
    confirm(task, "Kim")
    assert rotation.sign_anew(it(site), now) >= 1


def test_who_is_enrolled_in_the_middle_knows_by_its_certificate_which_key_is_current(
    site: SimpleNamespace, caller: Caller
) -> None:
    now = int(time.time())
    rotation.begin(it(site), now)
    rotation.sign_anew(it(site), now, force=True)
    first, second = keyring.chain(it(site))
    assert caller.enrol(new_enrolment_code(site.station)).status_code == 201
    assert verified(StationCertificate, decoded(caller.enrolled["certificate"]), [first])
    chain = CentralChain.enrolled([decoded(key) for key in caller.enrolled["central_keys"]], first)
    head = decoded(caller.snapshot()["head"])
    signer = chain.head_signer()
    assert signer is not None
    assert verified(Head, head, [signer])
    renewed = caller.http.post("/certificate").json()["certificate"]
    assert verified(StationCertificate, decoded(renewed), [second])


def test_links_stay_and_lead_who_slept_through_several_changes(
    site: SimpleNamespace, enrolled: Caller, served: Served
) -> None:
    now = int(time.time())
    asleep = MirrorCopy(enrolled)
    first = asleep.chain
    for n in range(3):
        whole_change(site, now + n)
    asleep.follow(limit=1)
    assert links(asleep) == [(1, "retired"), (2, "retired"), (3, "current")]
    by_snapshot = MirrorCopy(enrolled)
    assert by_snapshot.chain == asleep.chain
    assert [each["id"] for each in by_snapshot.answer["objects"][:3]] == [1, 2, 3]
    assert by_snapshot.answer["objects"][3]["type"] != "central_key"
    # The time, for whoever knows the first key alone.
    nonce = os.urandom(16)
    body = {"site": site.number, "nonce": encoded(nonce)}
    told = httpx.post(f"{served.url}/api/v1/time", json=body).json()
    signers = first.time_signers(decoded(each) for each in told["central_keys"])
    answer = verified(TimeAnswer, decoded(told["record"]), signers)
    assert answer is not None
    assert answer.nonce == nonce
    with httpx.Client(base_url=f"{served.url}/api/v1", timeout=60) as http:
        anew = Caller(http)
        anew.enrol(new_enrolment_code(site.station))
        keys = [decoded(key) for key in anew.enrolled["central_keys"]]
        assert keys == [key.public_key for key in asleep.chain.keys]
        assert verified(StationCertificate, decoded(anew.enrolled["certificate"]), keys[-1:])


def test_a_later_link_has_the_higher_number_also_when_the_clock_went_back(site: SimpleNamespace) -> None:
    now = int(time.time())
    whole_change(site, now)
    whole_change(site, now - 1000)
    told = [claimed(CentralKey, bytes(link.record)) for link in Link.objects.filter(site=site.site).order_by("number")]
    assert [link.version for link in told if link is not None] == [now, now + 1]


def test_a_box_follows_too(site: SimpleNamespace, caller: Caller) -> None:
    with change_and_sign():
        box = saved(Station(site=site.site, number=90, name="Skåpet", unit=site.unit, role=1))
    assert caller.enrol(new_enrolment_code(box)).status_code == 201
    copy = MirrorCopy(caller)
    whole_change(site, int(time.time()))
    copy.follow()
    assert (links(copy), copy.chain.head_signer()) == ([(1, "current")], keyring.chain(it(site))[1])


class KeyOf:
    """The record of the site's key."""

    def __init__(self, site: SimpleNamespace) -> None:
        self.key = site.key

    def issued_by(self, signer: bytes) -> int:
        """When it was signed, by that central key and no other."""
        self.key.refresh_from_db()
        record = verified(KeyRecord, bytes(self.key.record), [signer])
        assert record is not None
        return record.issued


def time_signer(served: Served, site: SimpleNamespace) -> bytes:
    """Which of the site's central keys signs the time."""
    told = httpx.post(f"{served.url}/api/v1/time", json={"site": site.number, "nonce": "A" * 22}).json()
    keys = keyring.chain(it(site))
    (signer,) = [key for key in keys if verified(TimeAnswer, decoded(told["record"]), [key])]
    return signer
