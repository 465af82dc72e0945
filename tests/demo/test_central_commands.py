"""What coordinators do on central's command line; the scenarios see what comes of it at stations."""

import json
import re
from pathlib import Path

import pytest

from station.demo.central_server import CentralServer, DemoFault
from station.demo.scenario import Scenario, play
from station.demo.site import DemoSite

WHY = ("--reason", "the demonstration is looked at")


@pytest.mark.slow
async def test_events_are_told_in_words_and_as_json(world: DemoSite) -> None:
    async def visit(scene: Scenario) -> None:
        await scene.switch_on(5001, 1001)
        await scene.event("key_activated", 5001)

    await play(visit, world, lambda _: None)
    told = await world.central.manage("events", *WHY, "--type", "key_activated")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 station=1 key_activated key=5001 holder=1001 .*areas=2 .*", told
    )
    (event,) = (await world.central.manage("events", *WHY, "--json", "--type", "key_activated")).splitlines()
    assert json.loads(event).items() >= {"type": "key_activated", "station": 1, "key": 5001, "holder": 1001}.items()
    assert await world.central.manage("events", *WHY, "--key", "5002") == ""


@pytest.mark.slow
async def test_each_says_what_it_did_and_refuses_what_there_is_not(site: Path) -> None:
    central = CentralServer(site / "central", site / "keys")
    await central.prepare()
    try:
        assert await central.manage("close_unit", "1") == "unit 1 is closed"
        assert await central.manage("close_unit", "1", "--open") == "unit 1 is open"
        assert (
            await central.manage("withdraw_permission", "1005", "--unit", "2") == "holder 1005: 1 permissions withdrawn"
        )
        assert re.fullmatch(r"\d{6}", await central.manage("new_pin", "1004"))
        for command, what in [("unlock_key", "key"), ("end_holder", "holder"), ("new_pin", "holder")]:
            with pytest.raises(DemoFault) as caught:
                await central.manage(command, "4999")
            assert caught.value.fields["reason"] == f"CommandError: site 1 has no {what} 4999"
        with pytest.raises(DemoFault) as caught:
            await central.manage("withdraw_permission", "1005", "--unit", "2")
        assert caught.value.fields["reason"] == "CommandError: holder 1005 has no such permission"
    finally:
        await central.close()


def test_time_skipped_in_an_earlier_run_is_kept(tmp_path: Path) -> None:
    central = CentralServer(tmp_path / "central", tmp_path / "keys")
    assert central.clock_ahead_s() == 0
    central.set_clock_ahead(90061.5)
    assert CentralServer(tmp_path / "central", tmp_path / "keys").clock_ahead_s() == 90061.5


def test_sample_pins_are_their_owners_alone(sample: Path) -> None:
    file = sample / "sample.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(json.loads(file.read_text())["people"]) == 40
