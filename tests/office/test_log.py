"""The opening log: by name, key or lock; one reason a case; times to the second; print and file."""

import csv
import io
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from central.actions.look_ups import CASE_OPEN_S
from central.feed import change_and_sign
from central.models import Event, Key, LookUp
from central.office.templatetags.office import exactly
from tests.central.site import saved
from tests.office.asking import at, report, words

REASON = "Complaint 77, invented"


@pytest.fixture
def auditor(there: SimpleNamespace, seat: Any) -> Any:
    return seat("auditor", there.site)


@pytest.fixture
def ask(there: SimpleNamespace, auditor: Any) -> Any:
    """``ask(q, …)``: the page that answers."""
    day = there.site.today().isoformat()

    def ask(q: str, **more: Any) -> str:
        told = {"q": q, "about": "", "since": day, "until": day, "cause": "incident", "reason": REASON, **more}
        return words(auditor.post(at(there, "log/"), told, follow=True))

    return ask


def rows(page: str) -> str:
    return page.partition('id="rows"')[2].partition("</table>")[0]


def look_ups(there: SimpleNamespace) -> list[LookUp]:
    return list(LookUp.objects.filter(site=there.site).order_by("pk"))


def test_a_name_a_key_or_a_lock_is_found_and_of_several_one_is_chosen(there: SimpleNamespace, ask: Any) -> None:
    report(there.one.station, "lock_opened", key=100, holder=10, lock=101)
    report(there.one.station, "lock_opened", key=200, holder=20, lock=555)
    assert "101" in rows(ask("eva exempel 1")), "a name, whatever its capitals"
    assert "101" in rows(ask("100", about="key")), "what did the lost key open?"
    assert "555" in rows(ask("555")), "a lock that is registered no more, but is in the log"
    assert [(each.about, each.number) for each in look_ups(there)] == [("holder", 10), ("key", 100), ("lock", 555)]
    # Two people are called so; key 101 is also a lock.
    for several, mine in (("eva", "holder.20"), ("101", "lock.101")):
        before = len(look_ups(there))
        page = ask(several)
        assert f'value="{mine}"' in page
        assert rows(page) == ""
        assert len(look_ups(there)) == before, "nothing is read before one is chosen"
        assert rows(ask(several, pick="lock.999999")) == ""
        assert rows(ask(several, pick=mine))
        assert f"{look_ups(there)[-1].about}.{look_ups(there)[-1].number}" == mine


def test_what_there_is_not_is_said(there: SimpleNamespace, ask: Any) -> None:
    assert "There is no lock 999999." in ask("999999", about="lock")
    assert "There is no person, key or lock Bertil." in ask("Bertil")
    assert look_ups(there) == []


def test_the_reason_is_asked_once_for_a_case(there: SimpleNamespace, auditor: Any, ask: Any, seat: Any) -> None:
    ask("100", about="key")
    (first,) = look_ups(there)
    page = words(auditor.get(at(there, "log/")))
    assert REASON in page.partition('id="case"')[2].partition("</p>")[0]
    assert 'name="reason"' not in page
    ask("10", about="holder", case=first.pk, cause="", reason="")
    second = look_ups(there)[1]
    assert (second.case, second.cause, second.reason) == (first.pk, "incident", REASON)
    there.site.refresh_from_db()
    assert there.site.look_ups["counts"] == {"incident": 2}, "each is counted, under the case's cause"
    # Another case has a reason of its own; nobody goes on with somebody else's, or with one that is over.
    assert 'name="reason"' in words(auditor.get(at(there, "log/?case=new")))
    ask("10", about="holder", case="", cause="key_lost", reason="Another one")
    assert [each.case == first.pk for each in look_ups(there)] == [True, True, False]
    other = seat("auditor", there.site)
    form = {"q": "10", "about": "holder", "case": first.pk, "since": "2026-01-01", "until": "2026-01-02"}
    assert other.post(at(there, "log/"), form).status_code == 422
    LookUp.objects.filter(site=there.site).update(at=first.at - CASE_OPEN_S - 60)
    assert 'name="reason"' in words(auditor.get(at(there, "log/")))
    ask("10", about="holder", case=first.pk, cause="", reason="")
    assert len(look_ups(there)) == 3


def test_the_file_has_reader_and_reason_and_computes_nothing(there: SimpleNamespace, auditor: Any, ask: Any) -> None:
    with change_and_sign():
        there.own.given_name = "=1+1"
        there.own.save()
    report(there.one.station, "lock_refused", key=100, holder=10, lock=101, data={"outcome": "no_permission"})
    assert "no permission for this lock" in ask("10", about="holder", reason="@Complaint; 77")
    (asked,) = look_ups(there)
    path = at(there, f"log/csv/?look_up={asked.pk}")
    answer = auditor.get(path)
    raw = answer.content
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert raw.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(raw.decode("utf-8-sig")), delimiter=";"))
    facts = {line[0]: line[1] for line in lines if len(line) == 2}
    assert (facts["Reason"], facts["Read by"]) == ("'@Complaint; 77", str(auditor.user))
    (row,) = [line for line in lines if "101" in line]
    assert row[2:7] == ["101", "'=1+1 Exempel 1", "10", "100", "refused: no permission for this lock"]
    # As programs read times, whatever the reader's language.
    when = there.site.local_time(Event.objects.get(site=there.site).at)
    assert datetime.fromisoformat(row[0] + row[1].removeprefix("UTC")) == when
    # Nobody else's, and not for ever.
    LookUp.objects.update(at=asked.at - CASE_OPEN_S - 60)
    assert auditor.get(path).status_code == 404


def test_all_rows_are_on_one_page_to_print(there: SimpleNamespace, auditor: Any, ask: Any) -> None:
    for n in range(120):
        report(there.one.station, "lock_opened", key=100, holder=10, lock=101, log_seq=n)
    page = ask("10", about="holder")
    assert rows(page).count("<tr>") == 101
    (asked,) = look_ups(there)
    printed = words(auditor.get(at(there, f"log/?look_up={asked.pk}&print")))
    assert rows(printed).count("<tr>") == 121
    assert REASON in printed.partition('id="asked"')[2].partition("</table>")[0]


def test_the_night_in_which_clocks_change_has_two_hours_of_one_name(there: SimpleNamespace) -> None:
    first = int(datetime(2026, 10, 25, 0, 30, 5, tzinfo=UTC).timestamp())
    assert exactly(first, there.site) == "25 Oct 2026 02:30:05 (UTC+02:00)"
    assert exactly(first + 3600, there.site) == "25 Oct 2026 02:30:05 (UTC+01:00)"
    assert exactly(first + 5 * 86400, there.site) == "30 Oct 2026 01:30:05"
    assert (exactly(None, there.site), exactly(10**15, there.site)) == ("–", str(10**15))


def test_a_key_shows_whose_it_is(there: SimpleNamespace, ask: Any) -> None:
    with change_and_sign():
        saved(Key(site=there.site, number=7, kind=1, unit=there.one.unit, status="active"))
    assert "Key 100, Eva Exempel 1" in ask("100", about="key")
    assert "Key 7</td>" in ask("7")
