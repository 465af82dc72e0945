"""`station sync` on an activation box: events go to central; keys, blocklist and certificate come, and no mirror."""

from pathlib import Path

import pytest

import config
from station.app import ProfileFault, Station
from station.commands.sync import synchronise
from station.ports import Change, LogEvent
from station.records.claims import Role
from station.records.keys import SigningKey
from station.rules.clock import ClockReadings
from station.runtime import status_file
from station.sync.client import CentralUnreachable
from tests.services.credentials import credentials_for
from tests.services.lying_central import DAY_S, NOW_S, STATION, Asked, LyingCentral, Reply, refusal, said


def clocks() -> ClockReadings:
    return ClockReadings(unix_s=NOW_S, boottime_s=1000.0, boot_id="a", rtc_unix_s=NOW_S)


def settings_of(central: LyingCentral, folder: Path, role: Role, profile: str) -> config.Settings:
    signing = SigningKey.generate()
    certificate = central.certify(signing.public, NOW_S - 5 * DAY_S, role=role)
    credentials_for(central, signing, certificate, role).save(folder / "credentials.json")
    path = folder / "station.toml"
    path.write_text(
        f'[station]\nnumber = {STATION}\nname = "Krisskåpet"\nprofile = "{profile}"\n'
        f'[central]\nurl = "{central.url}"\n[key_reader]\nport = "/dev/null"\n[clock]\ntrust_rtc = true\n',
        "utf-8",
    )
    return config.load(path)


async def box_of(central: LyingCentral, folder: Path) -> config.Settings:
    """An activation box with an event of its own, and a central that has something to say."""
    settings = settings_of(central, folder, Role.ACTIVATION_BOX, "activation-box")
    central.small_site()
    central.role = Role.ACTIVATION_BOX
    central.lies["/certificate"] = refusal(409, "too_early")
    station = await Station.open(settings, clocks=clocks)
    await station.store.commit(Change([LogEvent("key_activated", NOW_S, 2, key=51, data={"expires": NOW_S + 60})]))
    await station.close()
    return settings


async def opened(settings: config.Settings) -> Station:
    return await Station.open(settings, clocks=clocks)


async def test_its_events_are_handed_over_and_of_the_mirror_nothing_about_people_is_kept(
    central: LyingCentral, tmp_path: Path
) -> None:
    settings = await box_of(central, tmp_path)
    synced = await synchronise(settings, clocks)
    assert (synced.sent, synced.waiting) == (1, 0)
    assert [event["type"] for event in central.events.values()] == ["key_activated"]
    assert {asked.path for asked in central.asked} <= {"/time", "/certificate", "/events", "/mirror/snapshot"}
    station = await opened(settings)
    try:
        for type_ in ("holder", "permit", "key", "unit", "area", "station"):
            assert await station.store.objects(type_) == []
        assert len(await station.store.objects("site")) == 1
        assert (await station.readiness.facts()).mirror_age_s is None, "nothing that could grow old"
        assert (await station.readiness.facts()).off_only is None
        assert await status_file.last_hand_over(station.store) == NOW_S
    finally:
        await station.close()
    content = settings.storage.database.read_bytes()
    assert b"Eva 11" not in content
    assert not (await synchronise(settings, clocks)).changed


async def test_it_takes_up_the_blocklist_and_never_an_older_one(central: LyingCentral, tmp_path: Path) -> None:
    settings = await box_of(central, tmp_path)
    central.blocklist(200, 51)
    await synchronise(settings, clocks)
    for version, keys in [(150, ()), (300, (51, 52))]:
        station = await opened(settings)
        claims = station.readiness.blocklist_claims
        await station.close()
        assert claims is not None
        assert claims.blocked_keys == (51,)
        central.blocklist(version, *keys)
        await synchronise(settings, clocks)
    station = await opened(settings)
    assert station.readiness.blocklist_claims is not None
    assert station.readiness.blocklist_claims.blocked_keys == (51, 52)
    await station.close()


async def test_it_learns_a_changed_central_key_and_has_its_certificate_signed_with_it(
    central: LyingCentral, tmp_path: Path
) -> None:
    settings = await box_of(central, tmp_path)
    first, second = central.signing, SigningKey.generate()
    central.next_key(1, second, signer=first)
    # The whole change has gone on while the box was in its cellar: central's time too is signed with the new key.
    central.key_status(1, "current")
    central.signing = second
    central.blocklist(200)
    station = await opened(settings)
    own, before = station.identity.claims.public_key, station.identity.certificate
    assert station.identity.central_keys == (first.public,)
    await station.close()
    central.certificate = central.certify(own, NOW_S, role=Role.ACTIVATION_BOX, expires=NOW_S + 400 * DAY_S)
    del central.lies["/certificate"]
    synced = await synchronise(settings, clocks)
    assert synced.certificate_expires == NOW_S + 400 * DAY_S
    station = await opened(settings)
    assert station.identity.central_keys == (second.public,)
    assert station.identity.certificate == central.certificate != before
    await station.close()
    asked = central.calls("/certificate")
    await synchronise(settings, clocks)
    assert central.calls("/certificate") == asked, "it is by the newest key already"


async def test_a_central_key_that_nobody_trusted_has_signed_is_not_learnt(
    central: LyingCentral, tmp_path: Path
) -> None:
    settings = await box_of(central, tmp_path)
    mine = central.signing
    central.next_key(1, SigningKey.generate(), signer=SigningKey.generate())
    await synchronise(settings, clocks)
    station = await opened(settings)
    assert station.identity.central_keys == (mine.public,)
    await station.close()


async def test_an_event_that_central_refuses_does_not_leave_the_hand_over_open(
    central: LyingCentral, tmp_path: Path
) -> None:
    settings = await box_of(central, tmp_path)

    def judge(asked: Asked) -> Reply:
        events = asked.json["events"]
        bad = [{"id": e["id"], "status": "rejected", "reason": "no"} for e in events if e["type"] == "key_activated"]
        return said({"results": bad + [central.take(e) for e in events if e["type"] != "key_activated"]})

    central.lies["/events"] = judge
    synced = await synchronise(settings, clocks)
    assert (synced.sent, synced.waiting) == (1, 0)
    assert [event["type"] for event in central.events.values()] == ["event_set_aside"]
    station = await opened(settings)
    assert await status_file.last_hand_over(station.store) == NOW_S
    await station.close()


async def test_another_sites_central_changes_nothing(central: LyingCentral, tmp_path: Path) -> None:
    settings = await box_of(central, tmp_path)
    await synchronise(settings, clocks)
    station = await opened(settings)
    await station.store.commit(Change([LogEvent("key_activated", NOW_S, 2, key=51)]))
    await station.close()
    central.signing = SigningKey.generate()
    central.blocklist(900, 51)
    with pytest.raises(CentralUnreachable, match="central_time_invalid"):
        await synchronise(settings, clocks)
    station = await opened(settings)
    assert station.readiness.blocklist_claims is not None
    assert station.readiness.blocklist_claims.version == 100
    assert await station.store.pending_count() >= 1, "its events are for its own central"
    await station.close()


async def test_a_station_fetches_its_mirror(central: LyingCentral, tmp_path: Path) -> None:
    synced = await synchronise(settings_of(central, tmp_path, Role.UPDATE_BOX, "update-box"))
    assert synced.objects > 0


@pytest.mark.parametrize(
    ("role", "profile"),
    [
        (Role.SYNC_STATION, "activation-box"),
        (Role.SYNC_STATION, "update-box"),
        (Role.ACTIVATION_BOX, "update-box"),
        (Role.UPDATE_BOX, "activation-box"),
        (Role.UPDATE_BOX, "sync-station"),
    ],
)
async def test_the_profile_must_be_the_certificates_role(
    central: LyingCentral, tmp_path: Path, role: Role, profile: str
) -> None:
    with pytest.raises(ProfileFault):
        await Station.open(settings_of(central, tmp_path, role, profile))
