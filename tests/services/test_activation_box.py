"""An activation box with real parts: keys prepared by a real station, over the real link, judged by a real lock."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from station.display.screen import Line
from station.ports import Change, KeyFile, StoreFault
from station.records import envelope
from station.records.base64url import encoded
from station.records.claims import Blocklist, Category, ClockSource, KeyKind, KeyRecord, Role, Sync, Window
from station.records.keys import SigningKey
from station.rules.attempts import AttemptCount
from station.rules.facts import OffOnlyReason, Refusal, Shortened
from station.rules.locks import Reason
from tests.services.hooked import HookedKey
from tests.services.site import (
    ANNA,
    BO,
    DAY_S,
    HER_KEY,
    PINS,
    POOL_KEY,
    SPARE_KEY,
    TIM,
    TIME_ZONE,
    UNIT,
    Site,
    StationAt,
)

LEFT_ALONE = (KeyFile.ID, KeyFile.SYNC, KeyFile.PERMIT, KeyFile.CERT, KeyFile.BLOCK, KeyFile.ACK, KeyFile.LOG)
MINUTE_S = 60


async def synchronised(site: Site, number: int = HER_KEY, pin: str = "") -> tuple[HookedKey, StationAt]:
    """A key as a station leaves it: switched off again at the end of a shift; and that station."""
    station, key = await site.station(), site.key(number)
    if pin:
        await site.switch_on(station, key, pin)
        await station.out()
        site.skip(60)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    await station.out()
    assert not site.opens(key)
    return key, station


async def a_box(site: Site, number: int = 13) -> StationAt:
    return await site.station(number, role=Role.ACTIVATION_BOX)


def left_alone(key: HookedKey) -> dict[KeyFile, bytes]:
    return {file: key.file(file) for file in LEFT_ALONE}


def written(key: HookedKey, since: int = 0) -> list[str]:
    return [step for step in key.steps[since:] if step.startswith(("write", "set"))]


# --- it activates


async def test_a_key_that_a_station_has_synchronised_is_activated_and_opens(site: Site) -> None:
    key, station = await synchronised(site)
    before, steps = left_alone(key), len(key.steps)
    assert station.identity.certificate == before[KeyFile.CERT]
    site.skip(3 * DAY_S)
    box = await a_box(site)
    screen = await site.switch_on(box, key)
    found = site.try_lock(key)
    assert (found.reason, found.holder) == (Reason.OPENED, ANNA)
    activation = site.activation(key, box)
    assert activation is not None
    assert (activation.key, activation.holder, activation.station) == (HER_KEY, ANNA, 13)
    assert activation.clock is ClockSource.RTC
    assert activation.expires - activation.not_before == 661 * MINUTE_S
    assert screen.receipt is not None
    assert screen.receipt.expires == activation.expires
    assert key.file(KeyFile.BOXCERT) == box.identity.certificate
    assert left_alone(key) == before
    assert written(key, steps) == ["write boxcert", "write act"]
    assert key.steps[steps:][:2] == ["read act", "read id"]
    assert key.steps[-3:] == ["read id", "write act", "read act"]


async def test_the_end_of_a_shift_at_a_box_switches_the_key_off(site: Site) -> None:
    key, _ = await synchronised(site)
    box = await a_box(site)
    await site.switch_on(box, key)
    await box.out()
    assert site.opens(key)
    site.skip(60)
    steps = len(key.steps)
    box.insert(key)
    await box.until(Line.PROMPT)
    assert not site.opens(key)
    assert key.steps[steps : steps + 3] == ["read act", "write act", "read act"]
    await box.out()
    assert site.try_lock(key).reason is Reason.NOT_ACTIVE


async def test_a_station_takes_the_key_back_after_the_crisis(site: Site) -> None:
    key, station = await synchronised(site)
    box = await a_box(site)
    await site.switch_on(box, key)
    await box.out()
    site.skip(60)
    await site.switch_on(station, key)
    found = site.activation(key, station)
    assert found is not None
    assert found.station == 1
    assert site.opens(key)


async def test_a_pool_key_works_for_the_holder_whose_permit_it_carries(site: Site) -> None:
    key, _ = await synchronised(site, POOL_KEY, PINS[TIM])
    box = await a_box(site)
    box.insert(key)
    await box.until(Line.PROMPT)
    box.type(f"{PINS[ANNA]}#")
    await box.until(Line.WRONG_PIN)
    box.type(f"*{PINS[TIM]}#")
    await box.until(Line.READY)
    assert site.try_lock(key).holder == TIM
    await box.idle()
    (taken,) = await box.events("pool_key_taken")
    assert (taken["key"], taken["holder"]) == (POOL_KEY, TIM)


@pytest.mark.parametrize("day", range(7))
async def test_the_end_is_that_of_the_window_in_the_sites_own_time(site: Site, day: int) -> None:
    site.away_from_midnight()
    local = datetime.fromtimestamp(site.now_s, ZoneInfo(TIME_ZONE))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if day != local.weekday():
        # Another day's window does not run.
        site.person(ANNA, Category.PERMANENT, windows=(Window(1 << day, 0, 1440),))
        key, _ = await synchronised(site)
        box = await a_box(site)
        box.insert(key)
        assert (await box.until(Line.REFUSED)).refusal is Refusal.OUTSIDE_WINDOW
        return
    minute = local.hour * 60 + local.minute
    end = min(minute + 90, 1440)
    site.person(ANNA, Category.PERMANENT, windows=(Window(1 << day, 0, end),))
    key, _ = await synchronised(site)
    receipt = (await site.switch_on(await a_box(site), key)).receipt
    assert receipt is not None
    assert (receipt.expires, receipt.shortened) == (
        int((midnight + timedelta(minutes=end)).timestamp()),
        Shortened.WINDOW,
    )


# --- it refuses


@dataclass(frozen=True)
class Case:
    """Something wrong with a key, and what the box says to it."""

    reason: Refusal | None
    """None: it does not say which key it is."""
    spoil: Callable[[Site, HookedKey], Any]


def _store(file: KeyFile, content: Callable[[Site, HookedKey], bytes]) -> Callable[[Site, HookedKey], None]:
    return lambda site, key: key.folder.store(file.value, content(site, key))


def _torn(file: KeyFile) -> Callable[[Site, HookedKey], None]:
    return _store(file, lambda _site, key: key.file(file)[:-1])


def _permit(**claims: Any) -> Callable[[Site, HookedKey], None]:
    return _store(
        KeyFile.PERMIT,
        lambda site, _: site.person(
            claims.get("holder", ANNA),
            Category.PERMANENT,
            **{k: v(site.now_s) for k, v in claims.items() if k != "holder"},
        ),
    )


def _blocklist(keys: tuple[int, ...] = (), stations: tuple[int, ...] = ()) -> Callable[[Site, HookedKey], None]:
    # An old list still blocks.
    return _store(
        KeyFile.BLOCK,
        lambda site, _: site.sign(Blocklist(site.now_s - 1, site.now_s - DAY_S, 9, keys, stations)),
    )


def _clock_at(offset_s: float) -> Callable[[Site, HookedKey], None]:
    return lambda _site, key: key.folder.store_state(replace(key.folder.state(), clock_offset_s=offset_s))


def _sync(issued_in_s: int, key_number: int = HER_KEY) -> Callable[[Site, HookedKey], None]:
    def spoil(site: Site, key: HookedKey) -> None:
        signing = site.stations[0].signing
        key.folder.store(KeyFile.SYNC.value, envelope.sign(Sync(site.now_s + issued_in_s, key_number, 1), signing))

    return spoil


def _all(*spoils: Callable[[Site, HookedKey], Any]) -> Callable[[Site, HookedKey], None]:
    def spoil(site: Site, key: HookedKey) -> None:
        for each in spoils:
            each(site, key)

    return spoil


CASES = {
    "lost power": Case(Refusal.CLOCK_UNSET, lambda _site, key: key.lose_power()),
    "clock runs from 1970": Case(Refusal.CLOCK_UNSET, _clock_at(-1.7e9)),
    "clock before its sync": Case(Refusal.CLOCK_UNSET, _clock_at(-3600)),
    "no clock at all": Case(Refusal.CLOCK_UNSET, lambda _site, key: key.use(replace(key.options, has_clock=False))),
    "id torn": Case(None, _torn(KeyFile.ID)),
    "cert torn": Case(Refusal.BAD_STATION_CERTIFICATE, _torn(KeyFile.CERT)),
    "cert of a box": Case(
        Refusal.BAD_STATION_CERTIFICATE,
        _store(KeyFile.CERT, lambda site, _: site.certificate(1, site.stations[0].signing, Role.ACTIVATION_BOX)),
    ),
    "cert expired": Case(Refusal.BAD_STATION_CERTIFICATE, lambda site, _: site.skip(60 * DAY_S)),
    "sync cleared": Case(Refusal.NEVER_SYNCED, _store(KeyFile.SYNC, lambda _s, _k: b"\0")),
    "sync torn": Case(Refusal.NEVER_SYNCED, _torn(KeyFile.SYNC)),
    "sync of another key": Case(Refusal.NEVER_SYNCED, _sync(-60, HER_KEY + 1)),
    "sync of another station": Case(
        Refusal.NEVER_SYNCED,
        _store(
            KeyFile.SYNC,
            lambda site, _: envelope.sign(Sync(site.now_s, HER_KEY, 13), site.central),
        ),
    ),
    "sync over ten days ago": Case(Refusal.SYNCED_TOO_LONG_AGO, _sync(-10 * DAY_S - 60)),
    "sync from the future": Case(Refusal.SYNCED_TOO_LONG_AGO, _all(_clock_at(400), _sync(400))),
    "permit torn": Case(Refusal.BAD_PERMIT, _torn(KeyFile.PERMIT)),
    "permit cleared": Case(Refusal.BAD_PERMIT, _store(KeyFile.PERMIT, lambda _s, _k: b"\0")),
    "permit expired": Case(Refusal.PERMIT_EXPIRED, _permit(expires=lambda now_s: now_s)),
    "permit not yet": Case(Refusal.PERMIT_EXPIRED, _permit(not_before=lambda now_s: now_s + 3600)),
    "permit of another": Case(Refusal.WRONG_HOLDER, _permit(holder=BO)),
    "key blocked": Case(Refusal.BLOCKED, _blocklist(keys=(HER_KEY,))),
    "station blocked": Case(Refusal.BLOCKED, _blocklist(stations=(1,))),
    "no window": Case(
        Refusal.OUTSIDE_WINDOW,
        _permit(windows=lambda now_s: (_window_of_yesterday(now_s),)),
    ),
    # The first rule that fails names the reason.
    "clock before all": Case(
        Refusal.CLOCK_UNSET, _all(_torn(KeyFile.PERMIT), _blocklist(keys=(HER_KEY,)), lambda _s, key: key.lose_power())
    ),
    "blocked before window": Case(
        Refusal.BLOCKED,
        _all(_permit(windows=lambda now_s: (_window_of_yesterday(now_s),)), _blocklist(keys=(HER_KEY,))),
    ),
}


def _window_of_yesterday(now_s: int) -> Window:
    return Window(1 << (datetime.fromtimestamp(now_s, ZoneInfo(TIME_ZONE)).weekday() - 1) % 7, 0, 1440)


@pytest.mark.parametrize("name", CASES)
async def test_refused_twice_in_a_row_with_the_same_reason(site: Site, name: str) -> None:
    case = CASES[name]
    key, _ = await synchronised(site)
    box = await a_box(site)
    case.spoil(site, key)
    before, steps = left_alone(key), len(key.steps)
    for turn in (1, 2):
        # With the right PIN typed ahead: it must not slip through.
        box.insert_typing(key, f"*{PINS[ANNA]}#")
        screen = await box.until(Line.REFUSED, Line.UNREADABLE, Line.READY, Line.PROMPT)
        assert (screen.line, screen.refusal) == (
            (Line.UNREADABLE, None) if case.reason is None else (Line.REFUSED, case.reason)
        )
        await box.idle()
        assert not site.opens(key)
        assert key.file(KeyFile.ACT) == b""
        reasons = [e["data"]["reason"] for e in await box.events("key_refused", "key_read_failed")]
        assert reasons == [case.reason.value if case.reason is not None else "bad_key_record"] * turn
        await box.out()
        site.skip(10)
    assert left_alone(key) == before
    assert written(key, steps) == []
    assert (await box.store.real.attempts(HER_KEY)).failures == 0
    assert await box.events("key_activated") == []


async def test_a_key_blocked_since_it_met_a_station_is_refused_by_a_box_that_has_heard_of_it(site: Site) -> None:
    key, _ = await synchronised(site)
    box = await a_box(site)
    await box.readiness.adopt_blocklist(site.sign(Blocklist(site.now_s + DAY_S, site.now_s, 9, (HER_KEY,), ())))
    before, steps = left_alone(key), len(key.steps)
    for _turn in (1, 2):
        box.insert_typing(key, f"*{PINS[ANNA]}#")
        screen = await box.until(Line.REFUSED, Line.READY, Line.PROMPT)
        assert screen.refusal is Refusal.BLOCKED
        await box.idle()
        assert not site.opens(key)
        await box.out()
        site.skip(10)
    assert left_alone(key) == before
    assert written(key, steps) == [], "a box gives its list to no key"


async def test_a_wrong_pin_twice_then_the_right_one(site: Site) -> None:
    key, _ = await synchronised(site)
    box = await a_box(site)
    for _turn in (1, 2):
        box.insert(key)
        await box.until(Line.PROMPT)
        box.type(f"{PINS[BO]}#")
        screen = await box.until(Line.WRONG_PIN, Line.READY)
        assert screen.refusal is Refusal.WRONG_PIN
        assert not site.opens(key)
        await box.out()
        site.skip(10)
    await box.idle()
    assert (await box.store.real.attempts(HER_KEY)).failures == 2
    await site.switch_on(box, key)
    assert (await box.store.real.attempts(HER_KEY)).failures == 0


@pytest.mark.parametrize(("number", "pin"), [(HER_KEY, ANNA), (SPARE_KEY, ANNA)])
async def test_ten_wrong_pins_lock_the_key_on_this_box_for_good(site: Site, number: int, pin: int) -> None:
    key, _ = await synchronised(site, number, PINS[pin])
    box = await a_box(site)
    box.insert(key)
    await box.until(Line.PROMPT)
    for count in range(1, 11):
        box.type("*909090#")
        await box.until(Line.CHECKING)
        await box.until(Line.WRONG_PIN, Line.WAIT, Line.REFUSED)
        await box.idle()
        assert (await box.store.real.attempts(number)).failures == count
        site.skip(301)
        key.press()
        if count < 10:
            await box.until(Line.WRONG_PIN)
    assert box.screen.refusal is Refusal.LOCKED
    assert (await box.counts())["key_locked_out"] == 1
    await box.out()
    # Neither two days nor a new start of the box give another try.
    site.skip(2 * DAY_S)
    await box.close()
    box.line.close()
    site.stations.remove(box)
    again = await a_box(site)
    for _turn in (1, 2):
        again.insert_typing(key, f"{PINS[pin]}#")
        screen = await again.until(Line.REFUSED, Line.READY, Line.PROMPT)
        assert screen.refusal is Refusal.LOCKED
        assert not site.opens(key)
        await again.out()
        site.skip(10)
    # Another box has its own count.
    await site.switch_on(await a_box(site, 14), key, PINS[pin])


async def test_the_attempt_is_counted_before_the_pin_is_looked_at(site: Site) -> None:
    key, _ = await synchronised(site)
    box = await a_box(site)
    box.insert(key)
    await box.until(Line.PROMPT)
    counted: list[int] = []
    tags = box.station.pin_tags.tags

    async def tagged(entry: Any) -> tuple[bytes, ...]:
        counted.append((await box.store.real.attempts(HER_KEY)).failures)
        return await tags(entry)

    box.station.pin_tags.tags = tagged  # type: ignore[method-assign]
    box.type(f"{PINS[ANNA]}#")
    await box.until(Line.READY)
    assert counted == [1]


async def test_a_permit_that_ends_while_the_person_types_is_not_activated(site: Site) -> None:
    site.person(ANNA, Category.PERMANENT, expires=site.now_s + 3600)
    key, _ = await synchronised(site)
    box = await a_box(site)
    box.insert(key)
    await box.until(Line.PROMPT)
    site.skip(3600)
    box.type(f"{PINS[ANNA]}#")
    assert (await box.until(Line.REFUSED, Line.READY)).refusal is Refusal.PERMIT_EXPIRED
    assert not site.opens(key)
    await box.idle()
    # It was counted and not judged: nobody tries PINs for free.
    assert (await box.store.real.attempts(HER_KEY)).failures == 1


@pytest.mark.parametrize(("ahead_s", "activated"), [(2 * DAY_S, False), (-2 * DAY_S, False), (900, True), (-900, True)])
async def test_no_activation_that_locks_would_not_take_by_the_keys_clock(
    site: Site, ahead_s: int, *, activated: bool
) -> None:
    key, _ = await synchronised(site)
    site.skip(4 * DAY_S)
    box = await a_box(site)
    _clock_at(ahead_s)(site, key)
    for turn in (1, 2):
        box.insert_typing(key, f"*{PINS[ANNA]}#")
        screen = await box.until(Line.REFUSED, Line.READY)
        assert screen.refusal is (None if activated else Refusal.KEY_FAULT)
        await box.idle()
        await box.out()
        assert (key.file(KeyFile.ACT) != b"") is activated
        assert (await box.counts())["key_activated"] == (turn if activated else 0)
        site.skip(10)


async def test_without_its_battery_clock_a_box_only_switches_keys_off(site: Site) -> None:
    key, _ = await synchronised(site)
    box = await a_box(site)
    await site.switch_on(box, key)
    await box.out()
    site.world.has_rtc = False
    site.skip(60)
    box.insert_typing(key, f"{PINS[ANNA]}#")
    screen = await box.until(Line.REFUSED, Line.READY, Line.PROMPT)
    assert (screen.refusal, screen.status.off_only) == (Refusal.STATION, OffOnlyReason.CLOCK)
    assert not site.opens(key)
    assert "set clock" not in key.steps[-20:]


async def test_a_full_disk_activates_nothing(site: Site) -> None:
    key, _ = await synchronised(site)
    box = await a_box(site)

    def full(call: str) -> None:
        if call in {"commit", "note"}:
            raise StoreFault("disk_full")

    box.store.before = full
    box.insert(key)
    await box.until(Line.PROMPT, Line.REFUSED)
    box.type(f"{PINS[ANNA]}#")
    assert (await box.until(Line.REFUSED, Line.READY)).refusal is Refusal.STATION
    assert not site.opens(key)


async def test_its_events_wait_and_the_network_is_never_asked(site: Site) -> None:
    key, _ = await synchronised(site)
    box = await a_box(site)
    await site.switch_on(box, key)
    await box.idle()
    await box.out()
    counts = await box.counts()
    assert counts == {"key_synced": 1, "key_activated": 1}
    (seen,) = await box.events("key_synced")
    assert seen["data"]["source"] == "key"
    assert json.dumps(seen).count(PINS[ANNA]) == 0
    # Central's port is closed here: whoever had asked would have recorded that it is lost.
    assert [e["type"] for e in await box.events("central_lost")] == []
    assert not box.mirror.online


async def test_a_key_with_another_holders_old_record_is_judged_by_what_is_on_it(site: Site) -> None:
    key, _ = await synchronised(site)
    key.folder.store(KeyFile.ID.value, site.sign(KeyRecord(site.now_s - DAY_S, HER_KEY, KeyKind.PERSONAL, UNIT, BO)))
    box = await a_box(site)
    box.insert_typing(key, f"{PINS[ANNA]}#")
    assert (await box.until(Line.REFUSED, Line.READY, Line.PROMPT)).refusal is Refusal.WRONG_HOLDER


async def test_a_station_that_met_the_key_since_unlocks_it_on_this_box(site: Site) -> None:
    """A station writes no ``sync`` to a locked key: a later one says that somebody has looked after it."""
    key, station = await synchronised(site)
    site.skip(3600)
    box = await a_box(site)
    counts = AttemptCount(HER_KEY, 10, site.now_s)
    await box.store.real.commit(Change(attempts=counts))
    box.insert(key)
    assert (await box.until(Line.REFUSED)).refusal is Refusal.LOCKED
    await box.idle()
    await box.out()
    # Central is heard from an hour after the tenth: only now does a station know that the key is not locked.
    site.skip(3600)
    station.confirmed(site.now_s)
    station.insert(key)
    await station.until(Line.PROMPT)
    await station.idle()
    await station.out()
    site.skip(60)
    box.insert(key)
    await box.until(Line.PROMPT)
    box.type("*999999#")
    await box.until(Line.WRONG_PIN)
    assert (await box.store.real.attempts(HER_KEY)).failures == 1
    box.type(f"*{PINS[ANNA]}#")
    await box.until(Line.READY)
    assert site.opens(key)


async def test_whoever_switches_off_what_a_box_had_signed_tells_central_with_its_records(site: Site) -> None:
    """A box has no network: this is how central hears who had the key, and that openings were in order."""
    key, station = await synchronised(site)
    box = await a_box(site)
    told = []
    for where in (station, box):
        await site.switch_on(box, key)
        records = {"act": encoded(key.file(KeyFile.ACT)), "boxcert": encoded(box.identity.certificate)}
        await box.out()
        site.skip(60)
        where.insert(key)
        await where.until(Line.PROMPT)
        await where.idle()
        await where.out()
        site.skip(60)
        told.append(([e["data"] for e in await where.events("key_deactivated")][-1], records))
    assert all(data == records for data, records in told)


async def test_what_a_station_had_signed_is_told_without(site: Site) -> None:
    key, station = await synchronised(site)
    box, other = await a_box(site), await site.station(2)
    await site.switch_on(box, key)
    await box.out()
    site.skip(60)
    await site.switch_on(station, key)
    await station.out()
    site.skip(60)
    other.insert(key)
    await other.until(Line.PROMPT)
    await other.idle()
    assert [e["data"] for e in await other.events("key_deactivated")] == [{}]


async def test_a_key_that_has_to_prove_itself_is_refused_for_as_long_as_keys_are_not_asked(site: Site) -> None:
    key, _ = await synchronised(site)
    public = SigningKey.generate().public
    record = KeyRecord(site.now_s - DAY_S, HER_KEY, KeyKind.PERSONAL, UNIT, ANNA, key_public=public)
    key.folder.store(KeyFile.ID.value, site.sign(record))
    box = await a_box(site)
    box.insert(key)
    assert (await box.until(Line.REFUSED, Line.PROMPT)).refusal is Refusal.NOT_GENUINE
