"""docs/how-to/replace-a-station.md, played: new hardware under the same number, and what the old disk has to tell."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from config import Credentials
from station.ports import LogEvent
from station.sync.client import CentralClient, Pieces
from tests.central.town import Town

pytestmark = pytest.mark.slow
DAY_S = 86400
TOKENS = (
    "from central.models import StationToken as T; import json; "
    "print(json.dumps([t.expires_at and t.expires_at - t.station.certificate_issued"
    " for t in T.objects.filter(station__number=1).order_by('created_at')]))"
)
EVENTS = (
    "from central.models import Event; import json; "
    "print(json.dumps([e.type for e in Event.objects.filter(station__number=1, instance='{instance}', key=5001)]))"
)


async def told(town: Town, question: str) -> Any:
    return json.loads((await town.world.central.manage("shell", "-v", "0", "-c", question)).strip().splitlines()[-1])


async def dies(town: Town, folder: Path) -> str:
    """It switches a key on that central never hears of; its disk is all that is left. The database's instance."""
    instance: str = town.station.station.store.instance  # type: ignore[attr-defined]
    await town.end_central()
    await town.switch_on(5001)
    assert await town.station.station.store.pending_count() > 0
    await town.station.station.store.begin_activation(LogEvent("key_write_interrupted", 1, "unknown", key=5001))
    await town.station.stop()
    await town.begin_central()
    for path in [*town.world.home.folder.glob("station.db*"), town.world.home.folder / "credentials.json"]:
        shutil.move(path, folder)
    return instance


async def enrolled_anew(town: Town) -> None:
    code = await town.world.central.enrolment_code(1)
    status, said = await town.command("enrol", "--code", code.reveal(), "--url", town.world.home.url)
    assert status == 0, said


async def test_new_hardware_under_the_same_number(town: Town, tmp_path: Path) -> None:
    await town.switch_on(5002)
    await town.station.hand_over()
    instance = await dies(town, tmp_path)
    await enrolled_anew(town)
    old, new = (Credentials.load(each / "credentials.json") for each in (tmp_path, town.world.home.folder))
    assert (old.station, old.signing_seed.reveal() == new.signing_seed.reveal()) == (new.station, False)

    words = ("sync", "--events-of", str(tmp_path / "station.db"), "--json")
    status, said = await town.command(*words)
    assert status == 0, said
    assert json.loads(said)["events_sent_of_old"] > 0
    assert {"key_activated", "key_write_interrupted"} <= set(await told(town, EVENTS.format(instance=instance)))
    status, said = await town.command(*words)
    assert (status, json.loads(said)["events_sent_of_old"]) == (0, 0)

    # The old token is still good, and ends a day after the enrolment; what it signed still opens.
    link = CentralClient(town.world.home.url, old.token)
    assert (await link.changes(await _cursor(link), os.urandom(16))).cursor
    await link.close()
    before, now = await told(town, TOKENS)
    assert now is None
    assert abs(before - DAY_S) < 60
    assert town.opens(5001) == "opened"

    await town.station.start()
    await town.switch_on(5001)
    assert town.opens(5001) == "opened"


async def _cursor(link: CentralClient) -> str:
    told = bytearray()

    async def take(pieces: Pieces) -> None:
        async for piece in pieces:
            told.extend(piece)

    await link.snapshot(os.urandom(16), take)
    return str(json.loads(told)["cursor"])


async def test_events_of_another_number_are_not_taken_for_its_own(town: Town, tmp_path: Path) -> None:
    await town.station.station.store.note("station", "1/2")
    await dies(town, tmp_path)
    await enrolled_anew(town)
    status, said = await town.command("sync", "--events-of", str(tmp_path / "station.db"))
    assert (status, said) == (1, "")
    status, _ = await town.command("sync", "--events-of", str(tmp_path / "none.db"))
    assert status == 2
    assert not (tmp_path / "none.db").exists()
