"""How long the log names people, and what a person is told: against real rows of a real server."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
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
    DailyCount,
    Event,
    Holder,
    Key,
    LoggedInFrom,
    LookUp,
    Receipt,
    ServerFact,
    Site,
    Task,
)
from central.operations import event_retention, retention
from central.operations.retention import (
    SITE_OF,
    delete_old_records,
    delete_old_records_of,
)
from central.operations.scheduler import do_what_is_due
from tests.central.key_logs import entry_event
from tests.central.served import Caller, Served

DAY_S = 86400


def test_the_server_does_it_by_itself_once_an_hour(site: SimpleNamespace, enrolled: Caller) -> None:
    """What goes, and what stays: tests/central/actions/on_any_database.py."""
    enrolled.reported(entry_event())
    ServerFact.objects.filter(name="retention_at").delete()
    now = int(time.time())
    do_what_is_due(now)
    Event.objects.filter(site=site.site).update(received_at=now - 91 * DAY_S)
    do_what_is_due(now + 1800)
    assert Event.objects.filter(site=site.site, holder=10).exists()
    # A little more than the hour: the server's own companion may have been the one that began it.
    do_what_is_due(now + 3700)
    assert not Event.objects.filter(site=site.site).exists()
    assert DailyCount.objects.filter(site=site.site, type="lock_opened").exists()


def test_a_site_that_fails_keeps_no_other_from_it(
    site: SimpleNamespace, enrolled: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    enrolled.reported(entry_event())
    later = int(time.time()) + 91 * DAY_S
    first = Site.objects.order_by("pk").first()
    assert first is not None
    assert first != site.site

    def failing(do: Callable[[Site, int], int]) -> Callable[[Site, int], int]:
        def of_all_but_one(of: Site, limit: int) -> int:
            if of == first:
                raise ZeroDivisionError
            return do(of, limit)

        return of_all_but_one

    for module, name in (
        (event_retention, "_delete_events"), (retention, "forget_who_left"), (retention, "delete_old_records_of"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, failing(getattr(module, name)))
    people.end_employment(site.holder)
    with caplog.at_level(logging.ERROR, "central.scheduler"):
        done = retention.apply_retention(later + DAY_S)
    assert not Event.objects.filter(site=site.site).exists()
    assert done.events >= 1
    assert Holder.objects.get(pk=site.holder.pk).forgotten_at
    for step in ("delete_old_events", "forget_who_left", "delete_old_records"):
        assert f"scheduler.failed step={step} of={first.pk}" in caplog.text


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
