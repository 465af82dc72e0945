"""Keys of other makers: each firmware has a whole visit with real parts, and its person notices nothing of it."""

from typing import Any

import pytest

from station.display.screen import Line
from station.rules.facts import KeyClockState
from tests.services.keys_shown import shown_by_key_show
from tests.services.site import ANNA, HER_KEY, PINS, Site, StationAt

FIRMWARES: dict[str, dict[str, Any]] = {
    "no clock": {"has_clock": False},
    "no hash": {"hashes": ()},
    "no more than uploads and downloads": {
        "hashes": (),
        "has_status": False,
        "has_parameters": False,
        "has_close": False,
        "has_clock": False,
        "echo_operations": (),
    },
    "errors of version 1": {"error_version": 1, "milliseconds": True},
    "errors of version 1, and little else": {"error_version": 1, "hashes": (), "has_status": False},
    "a buffer of 128 bytes": {"buffer_bytes": 128},
    "two fragments, and it does not say so": {"max_request_lines": 2},
    "one fragment": {"buffer_bytes": 128, "max_request_lines": 1},
    "one fragment, and it does not say so": {"max_request_lines": 1},
    "another folder": {"folder": "/ext/files"},
}
LOSES_REQUESTS = {name for name in FIRMWARES if "does not say so" in name}
LONGEST_WAIT_S = 5.0
"""From the PIN to *ON*; measured: 0.1 s, and 1.2 s where requests are lost."""


async def _on(station: StationAt) -> None:
    await station.until(Line.PROMPT)
    station.type(f"*{PINS[ANNA]}#")
    await station.until(Line.READY, timeout_s=LONGEST_WAIT_S)


@pytest.mark.parametrize("firmware", FIRMWARES)
async def test_a_whole_visit(site: Site, firmware: str) -> None:
    options = FIRMWARES[firmware]
    station = await site.station(key_folder=options.get("folder", "/lfs1"))
    key = site.key(HER_KEY, **options)
    key.folder.append_log_entry(time_s=1_790_000_000, lock=101, outcome="opened", holder=ANNA, battery_percent=70)
    station.insert(key)
    await _on(station)
    assert site.opens(key)
    farewell = await station.out()
    assert farewell.line is Line.OUT_READY
    site.skip(10)
    # The way home: in and out.
    station.insert(key)
    await station.until(Line.PROMPT)
    assert not site.opens(key)
    await station.idle()
    counts = await station.counts()
    interrupted = counts.pop("key_write_interrupted", 0)
    assert interrupted <= (2 if firmware in LOSES_REQUESTS else 0)
    assert counts == {"key_synced": 2, "key_activated": 1, "key_deactivated": 1, "lock_opened": 1}
    told = await shown_by_key_show(site, station)
    assert (told.fields["key"], told.fields["active"], told.fields["log_entries"]) == (HER_KEY, False, 1)
    clock = KeyClockState.SET if key.options.has_clock else KeyClockState.ABSENT
    assert told.fields["clock"]["state"] == clock.value


async def test_that_a_key_has_one_fragment_is_found_out_once(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY, max_request_lines=1)
    station.insert(key)
    await _on(station)
    await station.out()
    site.skip(10)
    station.shown.clear()
    station.insert(key)
    await _on(station)
    assert station.lines[-5:] == [Line.READING, Line.PROMPT, Line.CHECKING, Line.ACTIVATING, Line.READY]
    assert site.opens(key)
