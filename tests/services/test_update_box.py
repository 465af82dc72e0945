"""An update box with real parts: the insertion renews, without a PIN, and only what is its own to renew."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from station.display.screen import Line
from station.ports import KeyFile
from station.records import envelope
from station.records.base64url import encoded
from station.records.claims import Category, KeyKind, KeyRecord, Permit, Role, StationCertificate, Window
from station.rules.facts import KeyStatus, OffOnlyReason, Policy, Refusal, Shortened
from tests.services.site import (
    ANNA,
    BO,
    DAY_S,
    HER_KEY,
    POOL_KEY,
    SPARE_KEY,
    TIME_ZONE,
    UNIT,
    Site,
    StationAt,
    tag_of,
)

OTHER_UNITS_KEY = 801
MINUTE_S = 60


async def a_box(site: Site, **how: Any) -> StationAt:
    return await site.station(12, role=Role.UPDATE_BOX, **how)


async def test_the_insertion_renews_until_the_active_time_is_over(site: Site) -> None:
    box, key = await a_box(site), site.key(HER_KEY)
    box.insert(key)
    screen = await box.until(Line.READY)
    activation = site.activation(key, box)
    assert activation is not None
    assert activation.expires - activation.not_before == 661 * MINUTE_S
    assert screen.receipt is not None
    assert screen.receipt.expires == activation.expires
    assert screen.status.role is Role.UPDATE_BOX
    assert site.opens(key)
    assert Line.PROMPT not in box.lines
    # Deactivated first, activated last.
    assert key.steps[0] == "read act"
    await box.idle()
    assert site.sync(key, box) is not None
    counts = await box.counts()
    assert counts == {"key_synced": 1, "key_activated": 1}
    assert (await box.store.real.attempts(HER_KEY)).failures == 0


async def test_the_next_day_it_is_switched_off_before_it_is_renewed(site: Site) -> None:
    box, key = await a_box(site), site.key(HER_KEY)
    box.insert(key)
    first = (await box.until(Line.READY)).receipt
    await box.idle()
    await box.out()
    site.skip(3600)
    box.shown.clear()
    steps = len(key.steps)
    box.insert(key)
    second = (await box.until(Line.READY)).receipt
    assert first is not None
    assert second is not None
    assert second.expires >= first.expires + 3600
    assert key.steps[steps : steps + 3] == ["read act", "write act", "read act"]
    assert key.steps.index("write act", steps + 3) > steps + 3
    await box.idle()
    assert (await box.counts())["key_deactivated"] == 1


async def test_it_ends_with_the_window(site: Site) -> None:
    site.away_from_midnight()
    local = datetime.fromtimestamp(site.now_s, ZoneInfo(TIME_ZONE))
    minute = local.hour * 60 + local.minute
    end = min(minute + 45, 1440)
    site.person(ANNA, Category.PERMANENT, windows=(Window(1 << local.weekday(), 0, end),))
    box, key = await a_box(site), site.key(HER_KEY)
    box.insert(key)
    receipt = (await box.until(Line.READY)).receipt
    assert receipt is not None
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    assert receipt.expires == int((midnight + timedelta(minutes=end)).timestamp())
    assert receipt.shortened is Shortened.WINDOW


async def test_the_active_time_is_the_sites(site: Site) -> None:
    box, key = await a_box(site, policy=Policy(active_minutes=60)), site.key(HER_KEY)
    box.insert(key)
    await box.until(Line.READY)
    activation = site.activation(key, box)
    assert activation is not None
    assert activation.expires - activation.not_before == 61 * MINUTE_S


async def test_a_pin_is_neither_asked_for_nor_taken(site: Site) -> None:
    box, key = await a_box(site), site.key(HER_KEY)
    box.insert_typing(key, "*909090#")
    await box.until(Line.READY)
    await box.idle()
    assert await box.events("pin_rejected") == []
    assert (await box.store.real.attempts(HER_KEY)).failures == 0


async def test_a_newer_permit_on_the_key_is_the_one_that_is_used(site: Site) -> None:
    key = site.key(HER_KEY)
    box = await a_box(site)
    newer = site.person(ANNA, Category.PERMANENT, revision=9, pin_tag=tag_of("777777"))
    key.folder.store(KeyFile.PERMIT, newer)
    box.insert(key)
    await box.until(Line.READY)
    assert key.file(KeyFile.PERMIT) == newer
    assert site.opens(key)


async def test_an_older_permit_is_replaced(site: Site) -> None:
    older = site.person(ANNA, Category.PERMANENT)
    newer = site.person(ANNA, Category.PERMANENT, revision=7)
    box, key = await a_box(site), site.key(HER_KEY)
    key.folder.store(KeyFile.PERMIT, older)
    box.insert(key)
    await box.until(Line.READY)
    assert key.file(KeyFile.PERMIT) == newer
    assert envelope.verify(Permit, newer, [site.central.public]).revision == 7


def _other_unit(site: Site) -> int:
    record = site.sign(
        KeyRecord(issued=site.now_s - DAY_S, key=OTHER_UNITS_KEY, kind=KeyKind.PERSONAL, unit=UNIT + 1, holder=BO)
    )
    site.put("unit", UNIT + 1, name="Söder", closed=False)
    site.put("key", OTHER_UNITS_KEY, kind=0, unit=UNIT + 1, status="active", record=encoded(record), holder=BO)
    return OTHER_UNITS_KEY


def _ended(site: Site) -> int:
    site.person(ANNA, Category.PERMANENT, status="ended")
    return HER_KEY


def _status(status: KeyStatus) -> Callable[[Site], int]:
    def change(site: Site) -> int:
        site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA, status)
        return HER_KEY

    return change


def _locked(site: Site) -> int:
    site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA, locked_at=site.now_s - 60)
    return HER_KEY


def _permit(**claims: int) -> Callable[[Site], int]:
    def change(site: Site) -> int:
        times: dict[str, Any] = {name: site.now_s + of for name, of in claims.items()}
        site.person(ANNA, Category.PERMANENT, **times)
        return HER_KEY

    return change


def _no_permit(site: Site) -> int:
    del site.objects["permit", ANNA]
    return HER_KEY


def _yesterdays_window(site: Site) -> int:
    weekday = datetime.fromtimestamp(site.now_s, ZoneInfo(TIME_ZONE)).weekday()
    site.person(ANNA, Category.PERMANENT, windows=(Window(1 << (weekday - 1) % 7, 0, 1440),))
    return HER_KEY


CASES: dict[Refusal, list[Callable[[Site], int]]] = {
    Refusal.NOT_PERSONAL: [lambda _: POOL_KEY, lambda _: SPARE_KEY],
    Refusal.OTHER_UNIT: [_other_unit],
    Refusal.BLOCKED: [_status(KeyStatus.BLOCKED)],
    Refusal.RETURNED: [_status(KeyStatus.RETURNED)],
    Refusal.LOCKED: [_locked],
    Refusal.HOLDER_ENDED: [_ended],
    Refusal.PERMIT_EXPIRED: [_permit(expires=0), _permit(not_before=3600)],
    Refusal.NO_PERMIT: [_no_permit],
    Refusal.OUTSIDE_WINDOW: [_yesterdays_window],
}


@pytest.mark.parametrize(
    ("refusal", "prepare"), [(refusal, prepare) for refusal, all_ in CASES.items() for prepare in all_]
)
async def test_refused_twice_in_a_row(site: Site, refusal: Refusal, prepare: Callable[[Site], int]) -> None:
    number = prepare(site)
    box, key = await a_box(site), site.key(number)
    for turn in (1, 2):
        box.insert(key)
        screen = await box.until(Line.REFUSED, Line.READY, Line.PROMPT)
        assert screen.refusal is refusal
        await box.idle()
        assert key.file(KeyFile.ACT) in {b"", b"\0"}
        assert not site.opens(key)
        told = [e["data"]["reason"] for e in await box.events("key_refused")]
        assert told == [refusal.value] * turn
        await box.out()
        site.skip(10)


@pytest.mark.parametrize("number", [POOL_KEY, OTHER_UNITS_KEY])
async def test_a_key_that_is_not_its_own_to_renew_is_synchronised_all_the_same(site: Site, number: int) -> None:
    _other_unit(site)
    box, key = await a_box(site), site.key(number)
    box.insert(key)
    await box.until(Line.REFUSED)
    await box.idle()
    assert site.sync(key, box) is not None


async def test_a_blocklist_that_the_key_brings_counts_before_the_decision(site: Site) -> None:
    box, key = await a_box(site), site.key(HER_KEY)
    key.folder.store(KeyFile.BLOCK, site.blocklist(9, HER_KEY))
    box.insert(key)
    assert (await box.until(Line.REFUSED, Line.READY)).refusal is Refusal.BLOCKED
    assert not site.opens(key)


async def test_news_while_a_refused_key_is_in_leads_to_no_prompt(site: Site) -> None:
    site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA, KeyStatus.BLOCKED)
    box, key = await a_box(site), site.key(HER_KEY)
    box.insert(key)
    await box.until(Line.REFUSED)
    await box.idle()
    site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA, KeyStatus.ACTIVE)
    await site.refresh(box)
    assert box.screen.line is Line.REFUSED
    await box.out()
    site.skip(10)
    box.insert(key)
    await box.until(Line.READY)


async def test_a_mirror_that_is_too_old_renews_nothing(site: Site) -> None:
    box, key = await a_box(site), site.key(HER_KEY)
    box.insert(key)
    await box.until(Line.READY)
    await box.idle()
    await box.out()
    site.skip(11 * DAY_S)
    box.insert(key)
    screen = await box.until(Line.REFUSED, Line.READY)
    assert (screen.refusal, screen.status.off_only) == (Refusal.STATION, OffOnlyReason.MIRROR_TOO_OLD)
    assert not site.opens(key)
    assert key.file(KeyFile.ACT) == b""


async def test_pulled_on_the_way_and_put_back_it_is_renewed_once(site: Site) -> None:
    box, key = await a_box(site), site.key(HER_KEY)
    pulled = asyncio.Event()

    def pull(number: int) -> bool:
        if key.asked[number] == "write act" and not pulled.is_set():
            pulled.set()
            box.line.pull()
        return True

    key.before = pull
    box.insert(key)
    await asyncio.wait_for(pulled.wait(), 8)
    await box.until(Line.OUT_UNSURE, Line.OUT_OFF, Line.OUT_EARLY)
    box.insert(key)
    await box.until(Line.READY)
    assert site.opens(key)
    await box.idle()
    assert (await box.counts())["key_activated"] == 1


async def test_an_activation_box_activates_what_it_has_synchronised(site: Site) -> None:
    update, key = await a_box(site), site.key(HER_KEY)
    update.insert(key)
    await update.until(Line.READY)
    await update.idle()
    await update.out()
    box = await site.station(13, role=Role.ACTIVATION_BOX)
    await site.switch_on(box, key)
    assert site.opens(key)
    assert envelope.verify(StationCertificate, key.file(KeyFile.CERT), [site.central.public]).role is Role.UPDATE_BOX
