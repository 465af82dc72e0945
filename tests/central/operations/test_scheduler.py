"""A round of the scheduler: each step and site apart, at a cost that has nothing to do with how many keys there are."""

import logging
from datetime import date
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from central.actions import renewals
from central.actions.station_health import SILENT_AFTER_S, note_silence
from central.clock import HOUR_S, unix_now
from central.models import FeedCounter, Holder, MirrorRow, Permission, Permit, SealedSecret, Station
from central.operations import scheduler
from central.operations.retention import apply_retention_when_due
from central.operations.scheduler import how_far_behind, last_round, renew_permits
from central.signing import keyring
from tests.central.site import add_permits, make_site
from tests.central.steps import steps_of_sqlite

MANY = 3000

pytestmark = pytest.mark.usefixtures("served")


def add_people(site: SimpleNamespace) -> None:
    """Many people whose permits are not due and whose employment goes on; as many removed objects that are young."""
    now = unix_now()
    people = Holder.objects.bulk_create(
        Holder(site=site.site, number=n, given_name="Eva", family_name="Exempel", category=0, unit=site.unit,
               employment_ends=date(2999, 1, 1))
        for n in range(20_000, 20_000 + MANY)
    )  # fmt: skip
    permissions = Permission.objects.bulk_create(Permission(holder=holder, every_area=True) for holder in people)
    Permit.objects.bulk_create(
        Permit(permission=p, holder=p.holder, revision=1, expires=now + 10**6, renew_at=now + 10**6, record=b"")
        for p in permissions
    )
    MirrorRow.objects.bulk_create(
        MirrorRow(site=site.site, type="area", number=n, revision=10**9 + n, content="", removed_at=now)
        for n in range(20_000, 20_000 + MANY)
    )


def test_a_round_costs_the_same_however_many_keys_there_are(site: SimpleNamespace) -> None:
    now = unix_now()
    # What is done once an hour counts rows (`test_retention`).
    steps = [step for step in scheduler.STEPS if step is not apply_retention_when_due]

    def round_() -> None:
        for step in steps:
            step(now)

    round_()
    few = steps_of_sqlite(round_)
    with transaction.atomic():
        add_people(site)
        many = steps_of_sqlite(round_)
        transaction.set_rollback(True)
    assert many <= few * 1.5 + 200, (few, many)


def test_a_site_that_cannot_sign_keeps_no_other_from_being_signed(caplog: pytest.LogCaptureFixture) -> None:
    broken, whole = make_site(), make_site()
    before = Permit.objects.get(holder=whole.own).revision
    Permit.objects.filter(holder__site=broken.site).update(renew_at=1)
    Permit.objects.filter(holder__site=whole.site).update(renew_at=2)
    lost = SealedSecret.objects.get(site=broken.site, kind="signing")
    sealed = bytes(lost.sealed)
    lost.delete()
    keyring.forget_secrets()
    pauses: list[float] = []
    try:
        with caplog.at_level(logging.ERROR, "central.scheduler"):
            done = renew_permits(unix_now(), pause=pauses.append)
        assert done.signed >= 1
        assert Permit.objects.get(holder=whole.own).revision > before
        assert all(pause > 0 for pause in pauses)
        assert f"step=renew_permits site_id={broken.site.pk}" in caplog.text
        # It is behind then, and says so.
        assert "wait to be signed anew" in how_far_behind(unix_now())
        with pytest.raises(CommandError, match="behind: "):
            call_command("status")
        client = Client(headers={"host": "localhost"})
        client.force_login(get_user_model().objects.get(username="admin"))
        assert "wait to be signed anew" in client.get("/admin/").content.decode()
    finally:
        SealedSecret.objects.create(site=broken.site, kind="signing", number=1, sealed=sealed)
        keyring.forget_secrets()
    renew_permits(unix_now(), pause=pauses.append)
    assert not Permit.objects.filter(holder=broken.own, renew_at__lte=unix_now()).exists()


def test_a_site_has_one_batch_signed_in_a_round(site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewals, "DUE_BATCH", 2)
    mine = add_permits(site)
    count = mine.update(renew_at=1)
    revision = FeedCounter.objects.get(site=site.site).value
    pauses: list[float] = []
    assert not renew_permits(1, pause=pauses.append).more
    assert mine.filter(renew_at=1).count() == count - 2
    assert FeedCounter.objects.get(site=site.site).value == revision + 2
    call_command("resign")
    assert not mine.filter(renew_at=1).exists()


def test_a_batch_that_took_long_is_no_reason_to_wait_longer_than_a_round(
    site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the database did not answer: all other work waits meanwhile."""
    add_permits(site).update(renew_at=1)
    monkeypatch.setattr(scheduler, "PAUSE_SHARE", 1e9)
    pauses: list[float] = []
    renew_permits(1, 20.0, pauses.append)
    assert pauses == [20.0] * len(pauses) != []


def test_a_step_that_fails_keeps_no_other_from_being_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_now: int) -> None:
        raise ZeroDivisionError

    asked: list[int] = []
    monkeypatch.setattr(scheduler, "STEPS", (fails, asked.append, *scheduler.STEPS[-1:]))
    now = max(unix_now(), last_round()) + HOUR_S
    with caplog.at_level(logging.ERROR, "central.scheduler"):
        assert not scheduler.do_what_is_due(now)
    assert (asked, last_round()) == ([now], now)
    assert "scheduler.failed step=fails" in caplog.text
    # Not after the work has become another process's.
    assert not scheduler.do_what_is_due(now + HOUR_S, lambda: False)
    assert asked == [now]


def test_silence_of_many_stations_is_two_statements_and_no_news(site: SimpleNamespace) -> None:
    now = unix_now()
    Station.objects.bulk_create(
        Station(site=site.site, number=n, name="Entré", unit=site.unit, last_contact=now, status="up")
        for n in range(100, 400)
    )
    value = FeedCounter.objects.get(site=site.site).value
    for at, status in ((now + SILENT_AFTER_S + 1, "down"), (now, "up")):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            note_silence(at)
        assert len(queries) == 2
        assert set(Station.objects.filter(site=site.site, number__gte=100).values_list("status", flat=True)) == {status}
    assert FeedCounter.objects.get(site=site.site).value == value
