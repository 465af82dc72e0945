"""How long the log names people, and what a person is told: against real rows of a real server."""

import json
import stat
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import call_command

from central.actions import keys, people, pins, tasks
from central.doors.login import KNOWN_FOR_S
from central.models import (
    Activation,
    Event,
    Holder,
    Key,
    LoggedInFrom,
    LookUp,
    Opening,
    Permit,
    Receipt,
    ServerFact,
    Site,
    Task,
)
from central.operations.retention import (
    SITE_OF,
    anonymise_events,
    delete_old_records,
    delete_old_records_of,
)
from central.operations.scheduler import do_what_is_due
from tests.central.key_logs import entry_event
from tests.central.served import Caller, Served, central

DAY_S = 86400


def test_after_its_days_the_log_names_nobody_and_counts_all(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(entry_event(), {"type": "key_activated", "key": 100, "holder": 10}, {"type": "station_started"})
    before = {event.pk: event for event in Event.objects.filter(site=site.site)}
    now = int(time.time())
    assert anonymise_events(site.site, now + 89 * DAY_S) == 0
    assert Event.objects.filter(site=site.site, holder=10).count() == 2
    assert anonymise_events(site.site, now + 91 * DAY_S) == 2
    assert anonymise_events(site.site, now + 92 * DAY_S) == 0
    for event in Event.objects.filter(site=site.site):
        old = before[event.pk]
        assert (event.key, event.holder) == (None, None)
        assert (event.type, event.lock, event.at, event.seq) == (old.type, old.lock, old.at, old.seq)
        assert event.type == "station_started" or event.event != old.event, "it can be computed from the key's number"
    (opening,) = Opening.objects.filter(site=site.site, lock=101)
    assert opening.data == {"outcome": "opened"}
    assert not Activation.objects.filter(site=site.site).exists()


def test_who_had_a_key_is_known_no_longer_than_the_log(site: SimpleNamespace) -> None:
    now = int(time.time())
    Activation.objects.create(site=site.site, key=100, holder=10, begins=now, ends=now + 9, received_at=now)
    delete_old_records_of(site.site, now + 89 * DAY_S)
    assert Activation.objects.filter(site=site.site).exists()
    delete_old_records_of(site.site, now + 91 * DAY_S)
    assert not Activation.objects.filter(site=site.site).exists()


def test_each_site_has_its_own_days(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(entry_event())
    site.site.log_days = 10
    now = int(time.time())
    assert anonymise_events(site.site, now + 9 * DAY_S) == 0
    assert anonymise_events(site.site, now + 11 * DAY_S) == 1


def test_an_open_receipt_is_kept_until_the_key_is_back(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported({"type": "pool_key_taken", "key": 52, "holder": 10})
    now = int(time.time())
    assert anonymise_events(site.site, now + 100 * DAY_S) == 0
    assert anonymise_events(site.site, now + 101 * DAY_S) == 0
    enrolled.reported({"type": "pool_key_returned", "key": 52, "holder": 10})
    Event.objects.filter(site=site.site, type="pool_key_returned").update(received_at=now + 102 * DAY_S)
    assert anonymise_events(site.site, now + 103 * DAY_S) == 1
    assert Event.objects.get(site=site.site, type="pool_key_taken").holder is None
    assert Event.objects.get(site=site.site, type="pool_key_returned").holder == 10


def test_the_server_does_it_by_itself_once_an_hour(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(entry_event())
    ServerFact.objects.filter(name="retention_at").delete()
    now = int(time.time())
    do_what_is_due(now)
    Event.objects.filter(site=site.site).update(received_at=now - 91 * DAY_S)
    ServerFact.objects.filter(name=f"retention:{site.site.pk}").delete()
    do_what_is_due(now + 1800)
    assert Event.objects.filter(site=site.site, holder=10).exists()
    # A little more than the hour: the server's own companion may have been the one that began it.
    do_what_is_due(now + 3700)
    assert not Event.objects.filter(site=site.site, holder=10).exists()


@pytest.mark.slow
def test_a_person_is_told_everything_but_secrets(
    served: Served, site: SimpleNamespace, enrolled: Caller, tmp_path: Path
) -> None:
    enrolled.reported(
        entry_event(), entry_event(seq=2, holder=None, outcome="expired"), {"type": "key_synced", "key": 99}
    )
    # Whoever has a key and a cable writes any time into its log.
    enrolled.reported(entry_event(seq=3, at=2**53 - 1))
    file = tmp_path / "person.json"

    permit = bytes(Permit.objects.get(holder=site.holder).record)
    keys.give_new_key(holder := Holder.objects.get(pk=site.holder.pk), "Karin Kordinator")
    people.end_employment(holder, "Karin Kordinator", None)
    auditor = get_user_model().objects.get(username="admin")
    LookUp.objects.create(
        site=site.site,
        user=auditor,
        at=1_790_000_000,
        about="holder",
        number=10,
        since=0,
        until=1,
        reason="complaint 7",
    )
    LookUp.objects.create(
        site=site.site, user=auditor, at=int(time.time()), about="lock", number=10, since=0, until=1, reason="another"
    )
    words = ("manage", "export_person", "10", "--site", str(site.site.number), "--reason", "asked by letter")
    central(*words, "--output", str(file), data=served.data)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    told = json.loads(text)
    assert told["person"]["given_name"] == "Eva"
    assert [event["type"] for event in told["events"]] == ["lock_opened", "lock_refused", "lock_opened"]
    assert {"number": 100, "status": "active"} in told["keys"]
    assert [(each["kind"], each["made_by"]) for each in told["receipts"]] == [("handed_out", "Karin Kordinator")]
    assert [(each["kind"], each["key"]) for each in told["tasks"]] == [("collect_key", 100)]
    assert [(each["by"], each["reason"]) for each in told["looked_up"]] == [("admin", "complaint 7")]
    assert {"holder", "permission", "key"} <= {each["about"] for each in told["changes"]}
    assert Task.objects.filter(holder=holder).exists()
    assert told["permissions"][0]["areas"] == ["Backen"]
    for secret in (bytes(holder.pin_tag), permit):
        assert secret.hex() not in text
    noted = LogEntry.objects.get_for_object(holder).filter(action=LogEntry.Action.ACCESS).get()
    assert noted.additional_data == {"export": True, "reason": "asked by letter"}
    assert "0 events" in central("manage", "retention", data=served.data)


def test_every_model_that_is_followed_belongs_to_a_site_or_to_none(served: Served) -> None:
    assert set(auditlog.get_models()) - set(SITE_OF) == {User, Group}


def test_after_their_days_audit_log_look_ups_receipts_and_tasks_are_gone(
    site: SimpleNamespace, enrolled: Caller
) -> None:
    kept = Site.objects.get(number=1)
    kept_entries = LogEntry.objects.get_for_object(kept).count()
    LookUp.objects.create(
        site=site.site, user=get_user_model().objects.get(username="admin"), at=int(time.time()), about="lock",
        number=101, since=0, until=1, reason="complaint 7",
    )  # fmt: skip
    pins.give_pin(site.holder, "Karin")
    out, _receipt, _code = keys.give_new_key(site.holder, "Karin")
    tasks.open_new_key_task(site.holder, "Karin")
    tasks.open_collect_key_task(site.key, site.holder, date(2030, 1, 1), "Karin")
    keys.take_back_key(site.key, "Karin")
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Key), object_id__in=[out.pk, site.key.pk]
    )
    open_tasks, receipts = Task.objects.filter(site=site.site), Receipt.objects.filter(site=site.site)
    assert (open_tasks.count(), receipts.count()) == (2, 3)
    site.site.audit_days = 40
    now = int(time.time())
    assert delete_old_records_of(site.site, now + 39 * DAY_S) == 0
    assert entries.exists()
    assert delete_old_records_of(site.site, now + 41 * DAY_S) > 4
    assert not entries.exists()
    assert not LogEntry.objects.get_for_object(site.holder).exists()
    assert not LookUp.objects.filter(site=site.site).exists()
    # What is not settled is kept: the key that is still out, the task that nobody has done.
    assert [receipt.key for receipt in receipts] == [out]
    assert [task.kind for task in open_tasks] == ["new_key"]
    assert LogEntry.objects.get_for_object(kept).count() == kept_entries
    keys.take_back_key(out, "Karin")
    delete_old_records_of(site.site, now + 80 * DAY_S)
    assert not receipts.all().exists()


def test_what_a_command_changes_is_in_the_audit_log(site: SimpleNamespace) -> None:
    call_command("block_key", 100, site=site.site.number)
    call_command("new_pin", 10, site=site.site.number)
    call_command("revoke_station", 1, site=site.site.number)
    for thing, command, changed in (
        (site.key, "block_key", "status"),
        (site.holder, "new_pin", "pin_at"),
        (site.station, "revoke_station", "stolen"),
    ):
        entries = [each for each in LogEntry.objects.get_for_object(thing) if changed in (each.changes or {})]
        assert entries[0].additional_data["command"] == command
        assert entries[0].additional_data["system_user"]


def test_log_ins_and_sessions_are_forgotten(served: Served) -> None:
    now = int(time.time())
    user = get_user_model().objects.create(username="eva.exempel")
    LoggedInFrom.objects.create(user=user, network="203.0.113.8", at=now - KNOWN_FOR_S - 1)
    new = LoggedInFrom.objects.create(user=user, network="203.0.113.9", at=now)
    Session.objects.create(session_key="x" * 32, session_data="", expire_date=datetime.now(UTC) - timedelta(hours=1))
    delete_old_records(now)
    assert list(LoggedInFrom.objects.filter(user=user)) == [new]
    assert not Session.objects.filter(session_key="x" * 32).exists()
