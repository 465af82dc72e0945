"""What is true of the log of events on whatever database `DATABASE_URL` names. Run by `test_both_databases.py`."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tests.central.django_ready  # noqa: F401  (before models are imported)
from central.actions import csv_import, event_months, station_health
from central.actions.event_months import Month, make_months_ahead
from central.actions.events import receive_events
from central.actions.keys import block_key
from central.actions.look_ups import note_look_up, open_cases
from central.actions.pool_keys import NotThere, keys_held_by, lend_key, take_back_lent
from central.actions.station_health import note_events, note_mirror
from central.actions.why import Rule, answer, told_of
from central.clock import DAY_S
from central.feed import change
from central.feed.cursors import newest_revision
from central.models import (
    Activation,
    BlockReached,
    DailyCount,
    Event,
    EventId,
    Handover,
    Holder,
    Key,
    LookUp,
    Opening,
    Permit,
    Receipt,
    Site,
    Station,
    StationHealth,
)
from central.operations.database import bring_up_to_date
from central.operations.event_retention import delete_old_events
from station.records.base64url import encoded
from tests.central.key_logs import entry_event, gap_event
from tests.central.site import make_site, saved

NOW = int(time.time())
IS_BY_MONTH = connection.vendor == "postgresql"


@pytest.fixture(scope="module", autouse=True)
def _ready() -> None:
    bring_up_to_date()


@pytest.fixture
def site() -> SimpleNamespace:
    # A month is every site's: of others nothing is there, and their days are the shortest.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE central_site SET log_days = 1")
        cursor.execute("DELETE FROM central_event")
        cursor.execute("DELETE FROM central_eventid")
    return make_site(pools=True)


def told(type_: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()), "instance": str(uuid4()), "seq": 1, "at": NOW, "clock": 0, "type": type_, "data": {},
    } | fields  # fmt: skip


def receive(site: SimpleNamespace, *events: Any, now: int = NOW) -> list[str]:
    return [result.status for result in receive_events(site.station, list(events), now)]


# --- an id is accepted once -------------------------------------------------------------------------------------------


def test_two_stations_bring_the_same_entries_at_the_same_instant(site: SimpleNamespace) -> None:
    with change():
        other = saved(Station(site=site.site, number=9, name="Norra", unit=site.unit))
    at_once = threading.Barrier(2)

    def bring(station: Station, events: list[Any]) -> list[str]:
        try:
            at_once.wait(30)
            return [result.status for result in receive_events(station, events, NOW)]
        finally:
            connections.close_all()

    # Of a key that central knows, and waits for; and of one that it does not: there only the ids' table stands between.
    for key in (100, 77_777):
        for first in range(1, 50, 10):
            entries = [entry_event(key, seq=seq) for seq in range(first, first + 10)]
            with ThreadPoolExecutor(2) as threads:
                one = threads.submit(bring, site.station, entries)
                two = threads.submit(bring, other, entries[::-1])
            results = zip(one.result(60), two.result(60)[::-1], strict=True)
            assert [sorted(each) for each in results] == [["accepted", "duplicate"]] * 10
        assert Event.objects.filter(site=site.site, key=key).count() == 50


def test_an_id_is_another_ones_at_another_site(site: SimpleNamespace) -> None:
    event, other = told("station_started"), make_site()
    assert (receive(site, event, event), receive(other, event)) == (["accepted", "duplicate"], ["accepted"])
    assert receive(site, event, now=NOW + 40 * DAY_S) == ["duplicate"], "in another month as well"


# --- a pool key is lent once ------------------------------------------------------------------------------------------


def test_of_two_who_lend_a_key_at_once_one_is_refused(site: SimpleNamespace) -> None:
    key, at_once = site.keys[2], threading.Barrier(2)

    def lend(by: str) -> str:
        try:
            at_once.wait(30)
            return lend_key(Key.objects.get(pk=key.pk), site.own, by).made_by
        except NotThere:
            return "refused"
        finally:
            connections.close_all()

    for _ in range(5):
        with ThreadPoolExecutor(2) as threads:
            said = list(threads.map(lend, ["Karin", "Kim"]))
        assert said.count("refused") == 1
        assert take_back_lent(key) is not None
    assert Receipt.objects.filter(key=key, kind=Receipt.Kind.LENT).count() == 5


# --- two files at once ------------------------------------------------------------------------------------------------


def test_two_files_at_once_in_another_order_make_everybody_once(
    site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_import, "APPLIED_AT_ONCE", 15)
    head = "number,given_name,family_name,category,unit,employment_ends"
    at_once = threading.Barrier(2)

    def bring(lines: list[csv_import.Line]) -> int:
        try:
            at_once.wait(30)
            return csv_import.apply(site.site, lines)
        finally:
            connections.close_all()

    # The second time they are there, and change.
    for name in ("Bo", "Åsa"):
        people = [f"{number},{name},Mängd,permanent,1," for number in range(500, 540)]
        files = ["\n".join([head, *each]) for each in (people, people[::-1])]
        planned = [csv_import.plan(site.site, "staff", file) for file in files]
        with ThreadPoolExecutor(2) as threads:
            assert list(threads.map(bring, planned)) == [40, 40]
        found = Holder.objects.filter(site=site.site, number__gte=500)
        assert set(found.values_list("given_name", flat=True)) == {name}
        assert Permit.objects.filter(holder__in=found).count() == 40


# --- what a batch costs -----------------------------------------------------------------------------------------------


def test_a_batch_takes_as_many_statements_as_it_has_subjects_not_events(site: SimpleNamespace) -> None:
    seq = iter(range(1, 10_000))

    def batch(times: int) -> list[Any]:
        return [
            event
            for _ in range(times)
            for event in (
                told("key_activated", key=100, holder=10),
                told("key_deactivated", key=100, data={"act": encoded(b"x"), "boxcert": encoded(b"x")}),
                told("key_synced", key=100, data={"record_issued": 5}),
                told("pool_key_taken", key=101, holder=11),
                told("pool_key_returned", key=101, holder=11),
                told("key_refused", key=101, holder=99, data={"reason": "no_permit"}),
                told("mirror_went_back", data={"type": "key", "id": 4711, "was": "blocked"}),
                entry_event(seq=next(seq)),
            )
        ]

    def statements(times: int) -> int:
        with CaptureQueriesContext(connection) as said:
            assert set(receive(site, *batch(times))) == {"accepted"}
        return len(said)

    statements(1)
    few, many = statements(1), statements(8)
    assert few == many <= 24, "with BEGIN, COMMIT, and all there is in one batch"
    with CaptureQueriesContext(connection) as said:
        receive(site, *(entry_event(seq=next(seq)) for _ in range(12)))
    assert len(said) <= 12
    assert not [query for query in said if "central_blocklist" in query["sql"] or "central_mirrorrow" in query["sql"]]


def test_the_blocklist_is_not_looked_through_for_a_key_that_locks(site: SimpleNamespace) -> None:
    with CaptureQueriesContext(connection) as said:
        receive(site, told("key_locked_out", key=100))
    assert site.key.__class__.objects.get(pk=site.key.pk).is_locked
    assert not [query for query in said if "central_blocklist" in query["sql"]]


def test_no_poll_reads_the_blocklist_itself(site: SimpleNamespace) -> None:
    before = newest_revision(site.site.pk)
    block_key(site.key)
    newest = newest_revision(site.site.pk)
    note_mirror(site.station, before, NOW)
    assert not BlockReached.objects.filter(station=site.station).exists()
    with CaptureQueriesContext(connection) as said:
        note_mirror(site.station, newest, NOW)
    assert BlockReached.objects.get(station=site.station).block.key == site.key
    assert not [query for query in said if '"content"' in query["sql"] or '"record"' in query["sql"]]


# --- whatever a station sends -----------------------------------------------------------------------------------------

TYPES = (
    "key_synced", "key_deactivated", "key_activated", "key_clear_failed", "key_write_interrupted", "key_read_failed",
    "key_power_lost", "pin_rejected", "key_locked_out", "key_refused", "pool_key_taken", "pool_key_returned",
    "lock_opened", "lock_refused", "log_gap", "station_started", "station_restarted", "clock_changed",
    "config_applied", "config_rejected", "central_lost", "central_back", "record_refused", "key_record_written",
    "key_not_genuine", "event_set_aside", "mirror_went_back", "something_newer",
)  # fmt: skip
NAMES = st.sampled_from(
    ["act", "boxcert", "expires", "reason", "type", "id", "was", "issued", "record_issued", "version", "entry", "first",
     "last", "seq", "generation", "offset", "outcome", "mirror_age_s", "text"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["unknown", "no_permit", "key", "holder", "unit", "station", "blocked", "ended", "closed", "listed"]
)
NUMBERS = st.integers() | st.sampled_from([0, 1, 10, 100, 2**32, 2**53 - 1, 2**53, 2**63, -(2**63) - 1, 10**300])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats() | st.text(max_size=20) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
EVENTS = st.fixed_dictionaries(
    {
        "id": st.builds(lambda: str(uuid4())),
        "instance": st.just(str(UUID(int=7))),
        "seq": st.integers(0, 2**53 - 1),
        "at": st.sampled_from([0, NOW, 2**53 - 1]),
        "clock": st.sampled_from([0, 1, 2, "unknown"]),
        "type": st.sampled_from(TYPES),
        "data": st.dictionaries(NAMES, VALUES, max_size=5),
    },
    optional={
        "key": st.sampled_from([100, 101, 102, 2**32 - 1]),
        "holder": st.sampled_from([10, 11, 2**32 - 1]),
        "lock": st.sampled_from([1, 101, 2**32 - 1]),
    },
)


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)
@given(events=st.lists(EVENTS, min_size=1, max_size=25))
def test_whatever_json_events_have_in_them_they_are_taken_or_refused(events: list[dict[str, Any]]) -> None:
    """One that raises is sent again for ever, and keeps all after it from coming in."""
    site = _one_site()
    assert set(receive(site, *events)) <= {"accepted", "rejected"}
    assert set(receive(site, *events)) <= {"duplicate", "rejected"}


_sites: list[SimpleNamespace] = []


def _one_site() -> SimpleNamespace:
    if not _sites:
        _sites.append(make_site(pools=True))
    return _sites[0]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "key_refused", "key": 101, "holder": 11, "data": {"reason": ["no_permit"]}},
        {"type": "mirror_went_back", "data": {"type": "key", "id": 100, "was": ["blocked"]}},
        {"type": "mirror_went_back", "data": {"type": "key", "id": 2**70, "was": "blocked"}},
        {"type": "key_activated", "key": 100, "holder": 10, "data": {"expires": -(2**70)}},
        {"type": "key_write_interrupted", "key": 100, "holder": 10, "data": {"act": "unknown", "expires": 2**70}},
    ],
    ids=str,
)
def test_what_once_came_for_ever(site: SimpleNamespace, event: dict[str, Any]) -> None:
    assert receive(site, told(**{"type_": event["type"]} | {k: v for k, v in event.items() if k != "type"})) == [
        "accepted"
    ]


# --- how long -----------------------------------------------------------------------------------------------------


def test_after_its_days_a_sites_events_are_gone_and_their_counts_stay(site: SimpleNamespace) -> None:
    patient = make_site()
    Site.objects.filter(pk=patient.site.pk).update(log_days=3650)
    Site.objects.filter(pk=site.site.pk).update(log_days=90)
    site.site.log_days = 90
    entry, started = entry_event(), told("station_started")
    receive(site, entry, told("key_activated", key=100, holder=10), told("lock_x", lock=1), started)
    receive(patient, told("station_started"))
    assert delete_old_events(NOW + 89 * DAY_S) == 0
    assert delete_old_events(NOW + 91 * DAY_S) == 4
    assert delete_old_events(NOW + 91 * DAY_S) == 0
    for model in (Event, EventId, Activation):
        assert not model.objects.filter(site_id=site.site.pk).exists()
    assert Event.objects.filter(site=patient.site).count() == 1
    counts = DailyCount.objects.filter(site=site.site).order_by("type")
    assert list(counts.values_list("type", "area", "unit", "count", "day")) == [
        (type_, area, 1, 1, NOW - NOW % DAY_S)
        for type_, area in (("key_activated", 0), ("lock_opened", 2), ("lock_x", 0), ("station_started", 0))
    ]
    # What is counted again is added, and nothing of it names anybody.
    receive(site, told("station_started"), told("key_synced", key=102))
    delete_old_events(NOW + 91 * DAY_S)
    assert counts.get(type="station_started").count == 2
    assert not {"key", "holder", "lock"} & {field.name for field in DailyCount._meta.get_fields()}
    # An entry that is older than the log is not stored again; another event's id is free, as its row is gone.
    later = NOW + 91 * DAY_S
    assert receive(site, entry, started, now=later) == ["duplicate", "accepted"]


def test_more_than_a_batch_goes_and_nothing_else(site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = make_site()
    Site.objects.filter(pk=patient.site.pk).update(log_days=3650)
    monkeypatch.setattr("central.operations.event_retention.BATCH", 3)
    Site.objects.filter(pk=site.site.pk).update(log_days=1)
    receive(site, *(told("key_activated", key=100, holder=10) for _ in range(8)))
    receive(site, told("station_started"), now=NOW + 2 * DAY_S)
    assert delete_old_events(NOW + 2 * DAY_S) == 8
    assert [event.type for event in Event.objects.filter(site=site.site)] == ["station_started"]
    assert DailyCount.objects.get(site=site.site).count == 8


def test_the_longest_kept_go_with_their_month(site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("central.operations.event_retention.IDS_BATCH", 2)
    site.site.log_days = 400
    Site.objects.filter(pk=site.site.pk).update(log_days=400)
    begins = Month.of(NOW + 800 * DAY_S).begins
    receive(site, *(told("key_activated", key=100, holder=10) for _ in range(5)), now=begins + 5)
    receive(site, told("station_started"), now=Month.of(begins).next.begins - 1)
    over = begins + 5 + 401 * DAY_S
    # Nobody reads them any more, whether their month is over or not.
    assert not Event.objects.kept(site.site, over).filter(type="key_activated").exists()
    assert not Opening.objects.kept(site.site, over).exists()
    gone = 0 if IS_BY_MONTH else 5
    assert delete_old_events(over) == gone
    assert Event.objects.filter(site=site.site).count() == 6 - gone
    end = Month.of(begins).next.begins + 400 * DAY_S
    assert delete_old_events(end) == 6 - gone
    assert delete_old_events(end) == 0
    for model in (Event, EventId):
        assert not model.objects.filter(site_id=site.site.pk).exists()
    counts = DailyCount.objects.filter(site=site.site).values_list("type", "unit", "count").order_by("type")
    assert list(counts) == [("key_activated", 1, 5), ("station_started", 1, 1)]


def test_who_has_a_pool_key_is_known_when_its_events_are_gone(site: SimpleNamespace) -> None:
    patient = make_site()
    Site.objects.filter(pk=patient.site.pk).update(log_days=3650)
    receive(
        site,
        told("pool_key_taken", key=101, holder=11),
        told("pool_key_taken", key=102, holder=10, clock="unknown", at=1),
    )
    later = NOW + 400 * DAY_S
    delete_old_events(later)
    assert not Event.objects.filter(site=site.site).exists()
    assert [key.number for key in keys_held_by(site.hourly, later)] == [101]
    assert Handover.objects.get(key__site=site.site, key__number=102).at == NOW, "it did not know the time"
    # Told late by a station that was offline: it was before the key was taken, and after it.
    receive(site, told("pool_key_returned", key=101, holder=11, at=NOW - 60), now=later)
    assert [key.number for key in keys_held_by(site.hourly, later)] == [101]
    receive(site, told("pool_key_returned", key=101, holder=11, at=NOW + 60), now=later)
    assert keys_held_by(site.hourly, later) == []
    assert Handover.objects.get(key__site=site.site, key__number=101).holder is None
    # A personal key is nobody's to take.
    receive(site, told("pool_key_taken", key=100, holder=10), now=later)
    assert not Handover.objects.filter(key=site.key).exists()


def test_first_facts_of_two_calls_at_once_are_both_kept(site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    StationHealth.objects.create(station=site.station, revision=5)
    # As if the other call had come in between.
    monkeypatch.setattr(station_health, "note", lambda *_, **__: False)
    note_events(site.station, [Event(at=NOW, type="key_read", data={})], NOW)
    health = StationHealth.objects.get(station=site.station)
    assert (health.revision, health.events_at) == (5, NOW)


# --- months -----------------------------------------------------------------------------------------------------------


def months() -> list[Month]:
    return [month for month, _ in event_months._attached()]


def test_a_months_name_and_bounds() -> None:
    december = Month.of(int(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()))
    assert (december.table, december.next) == ("central_event_2026_12", (2027, 1))
    assert december.next.begins - december.begins == 31 * DAY_S


# --- doubt ------------------------------------------------------------------------------------------------------------


def test_doubt_is_found_without_looking_through_the_log(site: SimpleNamespace) -> None:
    def doubts(key: int = 100) -> list[Any]:
        return list(
            Event.objects.filter(site=site.site, key=key, log_seq__isnull=False)
            .order_by("log_seq", "pk")
            .values_list("log_seq", "doubt")
        )

    with CaptureQueriesContext(connection) as said:
        receive(site, entry_event(seq=1), entry_event(seq=3), gap_event(10, 12))
    assert not [query for query in said if query["sql"].startswith("SELECT") and '"central_event"' in query["sql"]]
    assert doubts()[:2] == [(1, "contradicts"), (3, "contradicts")]
    receive(site, told("key_activated", key=100, holder=10))
    assert doubts()[:2] == [(1, ""), (3, "")]
    with CaptureQueriesContext(connection) as said:
        receive(site, told("key_activated", key=100, holder=10), entry_event(seq=3, lock=102), entry_event(seq=2))
    looked = [query["sql"] for query in said if query["sql"].startswith("SELECT") and '"central_event"' in query["sql"]]
    assert len(looked) == 2, "for what the activation explains, and for what has number 3"
    with connection.cursor() as cursor:
        for sql in looked:
            cursor.execute(f"EXPLAIN {'' if IS_BY_MONTH else 'QUERY PLAN'} {sql}".replace("%", "%%"), [])
            assert "receipt" not in "\n".join(str(line) for line in cursor.fetchall())
    assert doubts()[:4] == [(1, ""), (2, ""), (3, "conflicts"), (3, "conflicts")]
    # Of a key that central does not know, too.
    receive(site, entry_event(4711, seq=1))
    receive(site, entry_event(4711, seq=1, lock=102))
    assert doubts(4711) == [(1, "conflicts")] * 2


def test_a_log_with_too_many_holes_hides_no_conflict(site: SimpleNamespace) -> None:
    for first in range(1, 160, 40):
        receive(site, *(entry_event(seq=seq) for seq in range(first, first + 40, 2)))
    receive(site, entry_event(seq=3, lock=102))
    assert Event.objects.filter(site=site.site, log_seq=3, doubt="conflicts").count() == 2


def test_the_log_is_read_in_the_order_of_receipt_each_event_once(
    site: SimpleNamespace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("central.operations.management.commands.events.BATCH", 2)
    rounds: list[Callable[[], Any]] = [
        lambda: receive(site, told("station_started", seq=6), now=NOW + 2),
        # There after the one before, though it came in earlier: its batch had waited.
        lambda: receive(site, told("station_started", seq=7), now=NOW + 1),
        lambda: None,
    ]
    receive(site, *(told("station_started", seq=seq) for seq in range(1, 6)))

    def wanted() -> bool:
        if rounds:
            rounds.pop(0)()
            return True
        return False

    monkeypatch.setattr("central.operations.management.commands.events._wanted", wanted)
    call_command("events", site=site.number, reason="Complaint 81, invented", json=True, follow=True)
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.partition('"seq": ')[2].partition(",")[0]) for line in lines] == [1, 2, 3, 4, 5, 6, 7]


def test_why_a_lock_stays_red_is_told(site: SimpleNamespace) -> None:
    # After what is permitted was given.
    now = int(time.time()) + 5

    def rule() -> Rule:
        return answer(site.key, site.own, site.lock, now, now).rule

    assert rule() is Rule.NOT_ACTIVATED
    data = {"expires": now + 600, "not_before": now - 60}
    activated = told("key_activated", at=now, key=100, holder=10, data=data)
    receive(site, activated, told("pin_rejected", key=100), told("key_refused", key=100), now=now)
    receive(
        site, entry_event(seq=1, at=NOW, outcome="expired"), entry_event(seq=2, at=NOW, lock=102, outcome="expired")
    )
    assert rule() is Rule.OPENS
    found = told_of(site.key, site.lock.number, now)
    assert sorted(event.type for event in found.refusals) == ["key_refused", "lock_refused", "pin_rejected"]
    with change():
        site.key.status = "returned"
        site.key.save()
    returned = answer(site.key, site.own, site.lock, now, now)
    assert (returned.rule, returned.since is not None) == (Rule.RETURNED, True)


def test_a_case_is_its_makers_for_some_hours(site: SimpleNamespace) -> None:
    told_of_it: dict[str, Any] = {"about": "key", "number": 100, "since": 0, "until": NOW, "reason": "Invented"}
    first = note_look_up(site.site, NOW, LookUp.Cause.KEY_LOST, **told_of_it)
    note_look_up(site.site, NOW + 60, LookUp.Cause.KEY_LOST, first, **told_of_it)
    assert list(open_cases(site.site, None, NOW + 3600)) == [first]
    assert not open_cases(site.site, None, NOW + 5 * 3600).exists()


if IS_BY_MONTH:  # elsewhere events are in one plain table

    def test_months_are_made_ahead_and_at_the_latest_when_an_event_comes(site: SimpleNamespace) -> None:
        make_months_ahead(NOW)
        this = Month.of(NOW)
        assert {this, this.next, this.next.next} <= set(months())
        make_months_ahead(NOW)
        asleep = NOW + 1234 * DAY_S
        assert Month.of(asleep) not in months()
        at_once = threading.Barrier(4)

        def bring(_: int) -> list[str]:
            try:
                at_once.wait(30)
                return receive(site, told("station_started"), now=asleep)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(bring, range(4))) == [["accepted"]] * 4
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM {Month.of(asleep).table}")
            assert cursor.fetchone() == (4,)
        # By a clock that goes back the month before is asked for again.
        assert receive(site, told("station_started")) == ["accepted"]

    def test_a_month_that_somebody_reads_goes_when_they_are_done_and_nobody_waits(
        site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(event_months, "DETACH_LIMIT_MS", 300)
        begins = Month.of(NOW + 2000 * DAY_S).begins
        receive(site, told("station_started"), now=begins)
        end = Month.of(begins).next.begins + 400 * DAY_S
        reader = connections.create_connection("default")
        try:
            with reader.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute("SELECT COUNT(*) FROM central_event")
            before = DailyCount.objects.filter(site=site.site).count()
            delete_old_events(end)
            assert DailyCount.objects.filter(site=site.site).count() == before
            assert receive(site, told("station_started"), now=end) == ["accepted"]
            with reader.cursor() as cursor:
                cursor.execute("COMMIT")
            assert delete_old_events(end) >= 1
            assert Month.of(begins) not in months()
            assert DailyCount.objects.filter(site=site.site).count() == before + 1
        finally:
            reader.close()
