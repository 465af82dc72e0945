"""`central manage events` reads the log: for a reason, with a trace, and without anything that a terminal obeys."""

import io
import json
import logging
import time
from types import SimpleNamespace
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from central.feed import change_and_sign
from central.models import Holder, LookUp, Site, Station, StationHealth, Unit
from station.plain_text import PlainFormatter, lines, one_line
from tests.central.key_logs import entry_event
from tests.central.served import Caller, Served

# A screen cleared, a title set, a line of its own, C1's CSI, and marks that turn what follows around.
EVIL = "\x1b[2J\x1b]0;x\x07\n1970-01-01 all is well\r\x9b31m\u202e\u2066"


def read(site: SimpleNamespace, **options: Any) -> str:
    out = io.StringIO()
    call_command("events", site=site.number, reason="Complaint 81, invented", stdout=out, **options)
    return out.getvalue()


def test_no_reason_no_events(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(entry_event())
    for words in ([], ["--reason", ""], ["--reason", "    x   "], ["--reason", "x" * 301], ["--reason", "five\x1b[2J"]):
        with pytest.raises(CommandError):
            call_command("events", "--site", str(site.number), *words)
    with pytest.raises(CommandError):
        call_command("events", "--site", "64999", "--reason", "Complaint 81, invented")
    assert not LookUp.objects.filter(site=site.site).exists()


def test_the_command_leaves_the_trace_that_the_page_leaves(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(entry_event())
    told = read(site, key=100, cause="incident")
    assert "lock_opened key=100 holder=10 lock=101" in told
    read(site, json=True)
    second, first = LookUp.objects.filter(site=site.site)
    assert (first.user, first.about, first.number, first.cause) == (None, "key", 100, "incident")
    assert first.who.endswith(" (events)")
    assert (first.reason, abs(first.until - time.time()) < 60) == ("Complaint 81, invented", True)
    assert (second.about, second.number) == ("all", None)
    assert LogEntry.objects.get_for_object(first).get().additional_data["command"] == "events"
    assert Site.objects.get(pk=site.site.pk).look_ups["counts"] == {"incident": 1, "other": 1}


def test_what_a_station_wrote_moves_no_cursor(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(
        {"type": "something_newer", "data": {"text": EVIL, EVIL: [EVIL]}},
        {"type": "config_applied", "data": {"version": EVIL}},
        {"type": "station_restarted", "data": {"reason": EVIL}},
        {"type": "station_started", "at": 2**53 - 1},
    )
    plain = read(site)
    assert len(plain.splitlines()) == plain.count("\n") == 4
    assert all(each.isprintable() for each in plain.split("\n"))
    told = read(site, json=True)
    assert told.isascii()
    assert "\x1b" not in told
    assert json.loads(told.splitlines()[0])["data"]["text"] == EVIL
    health = StationHealth.objects.get(station=site.station)
    assert (health.config_version.isprintable(), health.restart_reason.isprintable()) == (True, True)


def test_a_log_line_is_one_line() -> None:
    handler = logging.StreamHandler(stream := io.StringIO())
    handler.setFormatter(PlainFormatter("%(levelname)s %(message)s"))
    try:
        raise ValueError(EVIL)
    except ValueError:
        record = logging.getLogger("test").makeRecord(
            "test", logging.ERROR, __file__, 1, "user=%s", (EVIL,), exc_info=__import__("sys").exc_info()
        )
    handler.emit(record)
    first, *rest = stream.getvalue().split("\n")
    assert first.startswith("ERROR user=\\x1b[2J")
    assert rest[0] == "Traceback (most recent call last):"
    assert all(line.isprintable() for line in (first, *rest))
    assert lines(f"one\n{EVIL[:3]}") == "one\n\\x1b[2"
    assert one_line("Åsa Ærlig") == "Åsa Ærlig"


def test_names_that_no_screen_can_show_are_refused_wherever_they_are_typed(site: SimpleNamespace) -> None:
    """The import and the office's forms ask the same: here what the admin page's forms go by."""
    with change_and_sign():
        things = [
            (
                Holder(site=site.site, number=9, given_name=EVIL, family_name="B", category=0, unit=site.unit),
                "given_name",
            ),
            (Station(site=site.site, number=9, name=EVIL, unit=site.unit), "name"),
            (Unit(site=site.site, number=9, name=EVIL), "name"),
        ]
        for thing, field in things:
            with pytest.raises(ValidationError) as refused:
                thing.full_clean()
            assert field in refused.value.message_dict


def test_the_admin_page_shows_no_events(served: Served, site: SimpleNamespace) -> None:
    from django.contrib.auth import get_user_model

    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model().objects.get(username="admin"))
    for path in ("event/", "opening/", "activation/"):
        assert client.get(f"/admin/central/{path}").status_code == 404
    # A key that was handed out keeps its number, and its record has no end.
    assert client.post(f"/admin/central/key/{site.key.pk}/delete/", {"post": "yes"}).status_code == 403
