"""Staff and locks by CSV: a dry run that shows every line, and then exactly that."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from central.actions import csv_import as importing
from central.actions.csv_import import apply, plan
from central.actions.people import end_employment
from central.feed import change_and_sign
from central.feed.cursors import newest_revision
from central.models import Area, Holder, Key, Lock, Permission, Permit, Task
from central.models.people import may_be_identity_number
from tests.central.site import saved
from tests.office.asking import at, import_lines, words

STAFF = """number;given_name;family_name;category;unit;employment_ends
10;Eva;Exempel 1;permanent;1;
20;Eva;Nytt-Namn;permanent;2;2040-12-31
77;Åke;Påhitt;hourly;1;
78;Åke;Påhitt;boss;1;
79;Åke;Påhitt;hourly;9;
80;Åke;Påhitt;hourly;1;tomorrow
77;Åke;Igen;hourly;1;
11;Tim;Test 1;permanent;1;
x;A;B;hourly;1;
81;A;B
"""
LOCKS = "number,area,unit\n101,2,1\n102,2,\n1,2,\n103,9,\n104,2,9\n"


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("site_administrator", there.site)


def holders(there: SimpleNamespace) -> dict[int, str]:
    return {h.number: str(h) for h in Holder.objects.filter(site=there.site)}


def test_the_dry_run_names_every_line_and_changes_nothing(there: SimpleNamespace, office: Any) -> None:
    before, head = holders(there), newest_revision(there.site.pk)
    lines = plan(there.site, "staff", STAFF)
    assert [(line.line, line.verdict.value, line.problem) for line in lines] == [
        (2, "same", ""), (3, "changed", ""), (4, "new", ""), (5, "wrong", "category"), (6, "wrong", "unit"),
        (7, "wrong", "date"), (8, "wrong", "twice"), (9, "wrong", "category_change"), (10, "wrong", "number"),
        (11, "wrong", "cells"),
    ]  # fmt: skip
    assert lines[1].changes == [("family_name", "Exempel 2", "Nytt-Namn"), ("employment_ends", "", "2040-12-31")]
    text = words(office.post(at(there, "import/"), {"kind": "staff", "text": STAFF}))
    assert text.count("<tr class=") == 7
    assert "Exempel 2 → Nytt-Namn" in text
    assert "New: 1 · Changed: 1 · Same: 1 · Wrong, left out: 7" in text
    assert (holders(there), newest_revision(there.site.pk)) == (before, head)


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("1503781234", "identity_number"),  # Danish: the day first
        ("0103781234", "identity_number"),
        ("103781234", "identity_number"),  # as a spreadsheet leaves it
        ("0503151234", "identity_number"),  # Swedish: the year first
        ("0003151234", "identity_number"),
        ("31151234", ""),
        ("1599781234", ""),
        ("4294967295", ""),
    ],
)
def test_nobodys_identity_number_gets_onto_a_key(there: SimpleNamespace, number: str, problem: str) -> None:
    text = f"number,given_name,family_name,category,unit,employment_ends\n{number},Åke,Påhitt,hourly,1,\n"
    (line,) = plan(there.site, "staff", text)
    assert line.problem == problem
    assert may_be_identity_number(str(int(number))) == (problem != "" and number != "0003151234")


def test_what_was_shown_is_applied(there: SimpleNamespace, office: Any) -> None:
    import_lines(office, there, "staff", STAFF)
    assert holders(there)[20] == "Eva Nytt-Namn"
    assert holders(there)[77] == "Åke Påhitt"
    assert Permit.objects.filter(holder__site=there.site, holder__number=77).count() == 1
    assert "2 lines applied, 7 left out" in words(office.get(at(there, "import/")))
    assert [line.verdict.value for line in plan(there.site, "staff", STAFF)][:3] == ["same"] * 3


def test_what_is_not_what_was_shown_is_shown_again(there: SimpleNamespace, office: Any) -> None:
    form = {"kind": "staff", "text": STAFF}
    (shown,) = re.findall(r'name="apply" value="(\w+)"', words(office.post(at(there, "import/"), form)))
    with change_and_sign():
        there.two.own.given_name = "Ida"
        there.two.own.save()
    again = words(office.post(at(there, "import/"), form | {"apply": shown}))
    assert "Not done: something has changed since" in again
    assert "First name: Ida → Eva" in again
    assert holders(there)[20] == "Ida Exempel 2"


def test_locks(there: SimpleNamespace, office: Any) -> None:
    lines = plan(there.site, "locks", LOCKS)
    assert [line.verdict.value for line in lines] == ["changed", "new", "wrong", "wrong", "wrong"]
    assert [line.problem for line in lines[2:]] == ["test_lock", "area", "unit"]
    assert apply(there.site, lines) == 2
    assert Lock.objects.get(site=there.site, number=101).unit == there.one.unit
    assert Lock.objects.filter(site=there.site).count() == 2


@pytest.mark.parametrize("text", ["", "nonsense\n1\n", "number,area\n1,2\n", 'number,area,unit\n"1,2\n'])
def test_a_file_that_is_none_says_so(there: SimpleNamespace, text: str) -> None:
    lines = plan(there.site, "locks", text)
    assert [line.verdict.value for line in lines] == ["wrong"]


def test_a_file_is_uploaded(there: SimpleNamespace, office: Any) -> None:
    good = SimpleUploadedFile("locks.csv", ("\ufeff" + LOCKS).encode())
    assert "Wrong, left out: 3" in words(office.post(at(there, "import/"), {"kind": "locks", "file": good}))
    bad = SimpleUploadedFile("locks.csv", b"\xff\xfe\x00")
    assert "not UTF-8" in words(office.post(at(there, "import/"), {"kind": "locks", "file": bad}))
    assert "Choose a file" in words(office.post(at(there, "import/"), {"kind": "locks"}))


def test_a_large_file_is_applied_in_parts_and_all_of_it(
    there: SimpleNamespace, office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "APPLIED_AT_ONCE", 7)
    text = "number,given_name,family_name,category,unit,employment_ends\n"
    text += "".join(f"{500 + n},Bo{n},Mängd,permanent,1,\n" for n in range(20))
    assert importing.apply(there.site, importing.plan(there.site, "staff", text)) == 20
    given = Permission.objects.filter(holder__site=there.site, holder__number__gte=500)
    assert [[area.number for area in each.areas.all()] for each in given] == [[2]] * 20
    assert {line.verdict.value for line in importing.plan(there.site, "staff", text)} == {"same"}


def test_who_moves_by_a_file_takes_the_key_along_and_leaves_no_access(there: SimpleNamespace, office: Any) -> None:
    with change_and_sign():
        lagan = saved(Area(site=there.site, number=9, name="Lagan"))
    there.two.unit.usual_areas.set([lagan])
    text = "number,given_name,family_name,category,unit,employment_ends\n10,Eva,Exempel 1,permanent,2,\n"
    text += "11,Tim,Test 1,hourly,2,\n"
    dry = words(office.post(at(there, "import/"), {"kind": "staff", "text": text}))
    for said in ("Areas: Backen → Lagan", "Key: 100 (Norr) → 100 (Söder)", "Substitute keys of: Norr → Söder"):
        assert said in dry
    import_lines(office, there, "staff", text)
    own = Holder.objects.get(site=there.site, number=10)
    assert [area.name for area in own.permissions.get().areas.all()] == ["Lagan"]
    assert Key.objects.get(site=there.site, number=100).unit == there.two.unit
    assert [each.unit for each in Holder.objects.get(site=there.site, number=11).permissions.all()] == [there.two.unit]


def test_who_left_comes_back_by_a_file_only_with_a_later_first_day(there: SimpleNamespace, office: Any) -> None:
    end_employment(there.one.own)
    header = "number,given_name,family_name,category,unit,employment_begins,employment_ends\n"
    today = there.site.today()
    first = (today + timedelta(days=1)).isoformat()

    def line(begins: str, ends: str = "") -> Any:
        return plan(there.site, "staff", f"{header}10,Eva,Exempel 1,permanent,1,{begins},{ends}\n")[0]

    # A file that does not know yet that they have left opens no door to them.
    assert [line("").problem, line("2020-01-01").problem, line(today.isoformat()).problem] == ["has_left"] * 3
    assert line("2020-01-01", "2025-12-31").verdict.value == "changed"
    again = line(first)
    assert ("status", "ended", "active") in again.changes
    assert apply(there.site, [again]) == 1
    there.one.own.refresh_from_db()
    assert (there.one.own.status, there.one.own.employment_begins.isoformat()) == ("active", first)
    assert Permit.objects.filter(holder=there.one.own).exists()
    assert not Task.objects.filter(holder=there.one.own, done_at=None).exists()
    assert line(first).verdict.value == "same"
