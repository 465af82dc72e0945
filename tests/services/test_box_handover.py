"""`station sync` on an activation box: its events go to central, and nothing of central's mirror comes to it."""

from pathlib import Path

import pytest

import config
from config.credentials import Argon2Cost, Credentials
from station.app import ProfileFault, Station
from station.commands.sync import _sync
from station.ports import Change, NewEvent
from station.records.claims import Role
from station.records.keys import SigningKey
from station.secret import Secret
from tests.services.lying_central import DAY_S, NOW_S, STATION, LyingCentral


def settings_of(central: LyingCentral, folder: Path, role: Role, profile: str) -> config.Settings:
    signing = SigningKey.generate()
    certificate = central.certify(signing.public, NOW_S - 5 * DAY_S, role=role)
    Credentials(
        station=STATION,
        site=1,
        role=role,
        token=Secret("a-token-of-a-station"),
        signing_seed=Secret(signing.seed()),
        certificate=certificate,
        central_keys=(central.signing.public,),
        site_salt=b"a site's own salt",
        pepper=Secret(b"p" * 32),
        argon2=Argon2Cost(time=1, memory_kib=8, lanes=1),
    ).save(folder / "credentials.json")
    path = folder / "station.toml"
    path.write_text(
        f'[station]\nnumber = {STATION}\nname = "Krisskåpet"\nprofile = "{profile}"\n'
        f'[central]\nurl = "{central.url}"\n[key_reader]\nport = "/dev/null"\n[clock]\ntrust_rtc = true\n',
        "utf-8",
    )
    return config.load(path)


async def test_its_events_are_handed_over_and_no_mirror_is_fetched(central: LyingCentral, tmp_path: Path) -> None:
    settings = settings_of(central, tmp_path, Role.ACTIVATION_BOX, "activation-box")
    station = await Station.open(settings)
    await station.store.commit(Change([NewEvent("key_activated", NOW_S, 2, key=51, data={"expires": NOW_S + 60})]))
    await station.close()
    synced = await _sync(settings)
    assert (synced.sent, synced.waiting, synced.objects) == (1, 0, 0)
    assert [event["type"] for event in central.events.values()] == ["key_activated"]
    assert {asked.path for asked in central.asked} <= {"/time", "/certificate", "/events"}


async def test_a_station_fetches_its_mirror(central: LyingCentral, tmp_path: Path) -> None:
    synced = await _sync(settings_of(central, tmp_path, Role.UPDATE_BOX, "update-box"))
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
