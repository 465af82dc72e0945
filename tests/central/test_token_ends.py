"""A station whose token is no longer good: it says so, switches keys off, and goes on once it is enrolled anew."""

import json
from typing import Any

import pytest

from station.display.screen import Screen
from station.ports import KeyFile
from station.rules.facts import OffOnlyReason
from station.secret import Secret
from tests.central.town import KEYS, Town

pytestmark = pytest.mark.slow
DAY_S = 86400


def line(wanted: str) -> Any:
    def shows(screen: Screen) -> bool:
        return screen.line == wanted

    return shows


async def test_a_token_that_has_ended(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    world, station = town.world, town.station
    mirror = station.station.mirror
    await town.switch_on(5001)
    await station.hand_over()
    await world.central.manage(
        "shell", "-c", "from central.models import StationToken; StationToken.objects.update(expires_at=1)"
    )
    await station.refresh()
    assert (mirror.online, mirror.fault) == (False, "unauthorized")
    assert "central.lost unauthorized" in caplog.text
    # There is a network: nobody is sent to look at a cable.
    await station.station.visits.mirror_changed()
    await station.station.visits.inputs_taken()
    assert station.station.visits.state.station.central_fault == "unauthorized"

    # As without a network: it serves by what it knows, and keeps what it has to tell.
    await town.switch_on(5002)
    assert town.opens(5002) == "opened"
    assert await station.station.store.pending_count() > 0

    # For as long as that is young enough. Then it switches off, which it always may.
    world.skip(11 * DAY_S)
    await station.station.visits.mirror_changed()
    await station.station.visits.inputs_taken()
    assert station.station.visits.state.station.off_only in {OffOnlyReason.MIRROR_TOO_OLD, OffOnlyReason.CLOCK}
    await station.insert(5001)
    await town.comes(line("refused"))
    assert world.key_folder(5001).read(KeyFile.ACT) == b""
    await station.pull()

    code, said = await town.command("doctor", "--json")
    assert code == 1
    (finding,) = [check for check in json.loads(said)["checks"] if check["check"] == "token"]
    assert finding["level"] == "FAIL"
    assert "does not accept this station's token" in finding["what"]
    assert "enrol again" in finding["mend"]

    await station.stop()
    new: Secret[str] = await world.central.enrolment_code(1)
    code, said = await town.command("enrol", "--code", new.reveal(), "--url", world.home.url)
    assert code == 0, said
    await station.start()
    assert mirror is not station.station.mirror
    assert station.station.mirror.online
    await station.hand_over()
    assert await station.station.store.pending_count() == 0
    for key in KEYS:
        await town.switch_on(key)
