"""A station starts on the file that is there, or on the last one that was good; never on neither if it ever had one."""

import os
from pathlib import Path

import pytest

from config import ConfigFault
from station.ports import StoreFault
from station.rules.facts import OffOnlyReason
from tests.pushed_config.broken_forms import FORMS, Form
from tests.pushed_config.site import Site


async def once(site: Site) -> None:
    await site.open()
    await site.until(site.copies)
    await site.stop()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
async def test_a_broken_file_does_not_keep_it_from_starting(site: Site, form: Form) -> None:
    await once(site)
    good = site.text().encode()
    form.put(site)
    await site.open()
    assert site.station.settings.policy.left_in_s == 120
    (told,) = await site.events_once_there("config_rejected")
    assert told["line"] == form.line
    before = site.config.status.rejected
    assert before
    assert site.copies() == [good]
    form.take_away(site)
    site.push(site.text(policy="left_in_s = 60"))
    await site.until(lambda: site.adopted)
    assert not site.config.status.rejected
    assert site.visits.state.policy.left_in_s == 60


@pytest.mark.parametrize("form", [form for form in FORMS if not form.needs_a_good_one], ids=lambda form: form.name)
async def test_without_any_good_file_it_says_what_is_wrong(site: Site, form: Form) -> None:
    form.put(site)
    with pytest.raises(ConfigFault) as caught:
        await site.open()
    assert caught.value.problems[0].line == form.line
    assert site.copies() == []


async def test_a_file_that_looks_right_and_does_not_start(site: Site) -> None:
    await once(site)
    (site.folder / "broken.db").write_bytes(os.urandom(9999))
    text = site.text(storage='database = "broken.db"')
    site.push(text)
    await site.open()
    assert site.station.settings.storage.database.name == "station.db"
    (told,) = await site.events_once_there("config_rejected")
    assert told["key"] == "storage.database"
    assert told["line"] == text.splitlines().index('database = "broken.db"') + 1
    # It is there to be seen at every look, and must not be taken up again, to be restarted on for ever.
    site.path.touch()
    await site.insert()
    await site.go_away()
    assert site.running is not None
    assert not site.running.done()
    assert site.config.status.rejected


async def test_a_fault_that_is_not_the_files_is_not_put_on_it(site: Site) -> None:
    await once(site)
    for name in ("station.db-wal", "station.db-shm"):
        (site.folder / name).unlink(missing_ok=True)
    (site.folder / "station.db").write_bytes(os.urandom(9999))
    site.push(site.text(policy="left_in_s = 60"))
    with pytest.raises(StoreFault):
        await site.open()


async def test_another_stations_file(site: Site) -> None:
    await once(site)
    site.push(site.text(station='number = 8\nname = "Exempelby"'))
    await site.open()
    (told,) = await site.events_once_there("config_rejected")
    assert (told["line"], told["key"]) == (2, "station.number")
    assert "expected 7, the number in this station's certificate" in told["reason"]


async def test_another_role_than_central_gave(site: Site) -> None:
    await once(site)
    site.push(site.text(station='number = 7\nname = "Exempelby"\nprofile = "update-box"'))
    await site.open()
    (told,) = await site.events_once_there("config_rejected")
    assert (told["line"], told["key"]) == (4, "station.profile")
    assert "only central gives roles" in told["reason"]


async def test_the_last_five_that_ran(site: Site) -> None:
    texts = [site.text(policy=f"left_in_s = {seconds}") for seconds in range(30, 37)]
    site.push(texts[0])
    await site.open()
    for number, text in enumerate(texts[1:], 1):
        site.push(text)
        await site.until(lambda: len(site.adopted) == number)  # noqa: B023 - awaited at once
    await site.until(lambda: site.copies() == [text.encode() for text in texts[:1:-1]])


async def test_credentials_that_are_not_there(site: Site, tmp_path: Path) -> None:
    (tmp_path / "credentials.json").unlink()
    with pytest.raises(ConfigFault) as caught:
        await site.open()
    assert caught.value.code == "credentials_missing"
    assert "`station enrol` makes it" in str(caught.value.problems[0])


async def test_what_central_is_about_to_mend_is_told_to_nobody(site: Site) -> None:
    """Just enrolled, without a clock: for a moment it can only switch off, and for no longer than central takes."""
    await site.open()
    await site.until(lambda: site.screens[-1].status.off_only is None)
    assert {screen.status.off_only for screen in site.screens} == {OffOnlyReason.STARTING, None}


async def test_what_central_does_not_mend_is_told(site: Site) -> None:
    await site.central.stop()
    await site.open(offline=True)
    await site.until(lambda: site.screens and site.screens[-1].status.off_only is OffOnlyReason.NO_MIRROR)
    assert {screen.status.off_only for screen in site.screens} == {OffOnlyReason.STARTING, OffOnlyReason.NO_MIRROR}
