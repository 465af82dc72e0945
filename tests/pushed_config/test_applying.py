"""A pushed file counts from the end of the visit on, in the part that it is about."""

import asyncio

from config.file_watch import LOOK_EVERY_S, REST_S
from station.display.screen import Line
from station.ports import ReaderSettings
from station.visit.state import Phase
from tests.pushed_config.site import PATIENCE_S, Site
from ui.words import words


async def test_a_visit_as_ever(site: Site) -> None:
    await site.open()
    await site.insert()
    await site.start_shift()
    assert site.shown[site.shown.index(Line.READING) :] == [
        Line.READING,
        Line.PROMPT,
        Line.CHECKING,
        Line.ACTIVATING,
        Line.READY,
    ]
    await site.go_away()


async def test_rules_change_between_two_visits_and_not_during_one(site: Site) -> None:
    await site.open()
    before = site.station.settings.version
    await site.insert()
    site.push(site.text(policy="active_minutes = 60", display='language = "da"\nreceipt_s = 5'))
    await site.until(lambda: site.config.status.waiting)
    await site.start_shift()
    await site.pull()
    assert site.visits.state.policy.active_minutes == 660
    grant = site.visits.state.grant
    assert grant is not None
    assert site.station.settings.version == before
    assert site.adopted == []
    await site.go_away()
    await site.until(lambda: site.adopted)
    assert site.visits.state.policy.active_minutes == 60
    assert site.visits.state.policy.receipt_s == 5
    assert site.station.settings.display.language == "da"
    assert site.config.status.waiting is None
    await site.insert()
    await site.start_shift()
    again = site.visits.state.grant
    assert again is not None
    assert again.expires - grant.expires < -9 * 3600
    await site.go_away()


async def test_a_farewell_is_read_to_its_end(site: Site) -> None:
    await site.open()
    await site.insert()
    await site.start_shift()
    await site.pull()
    site.skip(4)
    await site.until(lambda: site.visits.state.phase is Phase.EMPTY)
    site.push(site.text(display="receipt_s = 3"))
    await site.until(lambda: site.config.status.waiting)
    site.skip(10)
    await asyncio.sleep(0.4)
    assert site.screens[-1].line is Line.OUT_READY
    assert site.visits.state.policy.receipt_s == 30
    site.skip(30)
    await site.until(lambda: site.visits.state.policy.receipt_s == 3)


async def test_central_is_told_which_version_runs_and_which_keys_changed(site: Site) -> None:
    await site.open()
    first = site.station.settings.version
    site.push(site.text(policy="left_in_s = 60") + "\n")
    await site.until(lambda: site.adopted)
    (second,) = site.adopted
    await site.until(lambda: len(site.central.events) >= 3)
    applied = await site.events_once_there("config_applied", 2)
    assert applied == [
        {"version": first, "reach": "process", "keys": []},
        {"version": second, "reach": "live", "keys": ["policy.left_in_s"]},
    ]
    await site.stop()
    await site.open()
    assert len(await site.events("config_applied")) == 2


async def test_the_serial_port_alone_is_opened_anew(site: Site) -> None:
    await site.open()
    store, link = site.station.store, site.station.central
    (site.folder / "other-reader").symlink_to(
        site.line.path.readlink() if site.line.path.is_symlink() else "key-reader"
    )
    site.push(site.text(key_reader='port = "other-reader"'))
    await site.until(lambda: site.adopted)
    assert (site.station.store, site.station.central) == (store, link)
    assert Line.READER_BROKEN not in site.shown
    await site.insert()
    await site.start_shift()
    await site.go_away()


async def test_a_wrong_serial_port_is_mended_by_the_next_push(site: Site) -> None:
    site.push(site.text(key_reader='port = "nowhere"'))
    await site.open()
    await site.until(lambda: site.visits.state.phase is Phase.BROKEN)
    site.push(site.text())
    await site.until(lambda: site.adopted)
    await site.insert()
    await site.start_shift()
    await site.go_away()


async def test_the_connection_to_central_alone_is_made_anew(site: Site) -> None:
    site.push(site.text(central='url = "http://127.0.0.1:9"\nmetered = true\npoll_s = 3600'))
    await site.start_offline()
    assert not site.station.mirror.online
    site.push(site.text())
    await site.until(lambda: site.station.mirror.online)
    assert site.adopted == [site.station.settings.version]


async def test_what_needs_another_process_ends_this_one_between_two_visits(site: Site) -> None:
    await site.open()
    await site.insert()
    site.push(site.text(storage='database = "other.db"'))
    await site.until(lambda: site.config.status.waiting)
    await site.start_shift()
    assert site.running is not None
    assert not site.running.done()
    await site.go_away()
    async with asyncio.timeout(10):
        await site.running
    assert site.adopted == []
    assert len(site.copies()) == 1, "it has not proved itself yet"
    await site.station.close()
    site.running = None
    await site.open()
    assert (site.folder / "other.db").exists()
    await site.until(lambda: len(site.copies()) == 2)


async def test_noticed_within_two_seconds_by_a_kiosk(site: Site) -> None:
    await site.open(look_every_s=LOOK_EVERY_S, rest_s=REST_S)
    for receipt_s in (5, 6):
        site.push(site.text(display=f"receipt_s = {receipt_s}"))
        began_s = asyncio.get_running_loop().time()
        await site.until(lambda: site.visits.state.policy.receipt_s == receipt_s)  # noqa: B023 - awaited at once
        assert asyncio.get_running_loop().time() - began_s < 3.0  # two, and what a busy machine adds


async def test_comments_alone_are_a_new_version_and_nothing_else(site: Site) -> None:
    await site.open()
    site.push("# a word\n" + site.text())
    await site.until(lambda: site.adopted)
    await site.until(lambda: len(site.copies()) == 2)
    assert [applied["keys"] for applied in await site.events_once_there("config_applied", 2)] == [[], []]


async def test_a_broken_file_leaves_a_mark_on_the_quiet_strip_and_goes_with_the_next(site: Site) -> None:
    await site.open()
    site.push(site.text(policy="left_in_s = 1"))
    await site.until(lambda: site.screens[-1].status.config_rejected)
    assert "settings file broken" in words(site.screens[-1], "en").status
    assert site.screens[-1].line is Line.EMPTY
    site.push(site.text())
    await site.until(lambda: not site.screens[-1].status.config_rejected)
    assert "settings file broken" not in words(site.screens[-1], "en").status
    assert site.adopted == []


async def test_a_file_that_is_taken_back_while_it_is_applied_stays_taken_back(site: Site) -> None:
    await site.open()
    before = site.config.status.version
    applying, go_on, use = asyncio.Event(), asyncio.Event(), site.station.reader.use

    async def slow_use(settings: ReaderSettings) -> None:
        applying.set()
        await go_on.wait()
        await use(settings)

    site.station.reader.use = slow_use  # type: ignore[method-assign]
    (site.folder / "other-reader").symlink_to("key-reader")
    site.push(site.text(key_reader='port = "other-reader"'))
    await asyncio.wait_for(applying.wait(), PATIENCE_S)
    site.push(site.text())
    await site.until(lambda: site.config.status.waiting == before, "the file of before waits")
    go_on.set()
    await site.until(lambda: site.config.status.version == before and site.config.status.waiting is None)
    assert str(site.station.settings.key_reader.port) == str(site.line.path)
