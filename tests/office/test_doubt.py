"""The opening log says of what it is not sure, and what is missing of it."""

import time
from types import SimpleNamespace
from typing import Any

from central.actions.events import receive_events
from central.models import Event, Site
from tests.central.key_logs import entry_event, gap_event
from tests.office.asking import at, words

NOW = int(time.time())


def receive(there: SimpleNamespace, *events: dict[str, Any]) -> None:
    results = receive_events(there.one.station, list(events), NOW)
    assert {result.status for result in results} == {"accepted"}


def test_doubtful_and_unjudged_entries_are_shown_so(there: SimpleNamespace, seat: Any) -> None:
    receive(
        there, entry_event(seq=1, at=NOW - 60), entry_event(seq=5, at=None), entry_event(seq=6, at=NOW - 50, lock=1)
    )
    auditor = seat("auditor", there.site)
    day = there.site.today().isoformat()
    form = {"about": "holder", "q": "10", "since": day, "until": day, "cause": "incident", "reason": "Complaint 9"}

    def rows() -> str:
        page = words(auditor.post(at(there, "log/"), form, follow=True))
        return page.partition('id="rows"')[2].partition("</table>")[0]

    assert rows().count("<tr>") == 3, "the head and two; the test lock is nobody's home"
    assert ("doubtful" in rows(), "unjudged" in rows()) == (False, True)
    Event.objects.filter(site=there.site).update(received_at=NOW - 86500)
    assert rows().count("doubtful") == 1
    assert "100: 2–4" in words(auditor.post(at(there, "log/"), form, follow=True))
    # Everybody at a screen sees how often it was read, and for what.
    counts = Site.objects.get(pk=there.site.pk).look_ups
    assert counts["counts"] == {"incident": 5}


def test_what_is_missing_of_a_keys_log_is_on_its_page(there: SimpleNamespace, seat: Any) -> None:
    coordinator = seat("coordinator", there.site, there.one.unit)
    assert 'id="missing"' not in words(coordinator.get(at(there, "keys/100/")))
    receive(there, entry_event(seq=1), gap_event(2, 7))
    assert "2–7" in words(coordinator.get(at(there, "keys/100/"))).partition('id="missing"')[2]
    receive(there, *(entry_event(seq=seq) for seq in range(2, 8)))
    assert 'id="missing"' not in words(coordinator.get(at(there, "keys/100/")))
