"""Times and days, by the site's clocks and as people of the language write them."""

import re
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import translation

from central.actions.keys import block_key
from central.models import Membership
from central.office.templatetags.office import day, when
from tests.office.asking import at, report, words

OF_MACHINES = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|\b1[78]\d{8}\b")
TAG = re.compile(r"<[^>]*>")


@pytest.mark.parametrize(
    ("language", "expected"),
    [("sv", "2026-11-09"), ("da", "09.11.2026"), ("nb", "09.11.2026"), ("fi", "9.11.2026"), ("en", "9 Nov 2026")],
)
def test_a_day_and_a_time(there: SimpleNamespace, language: str, expected: str) -> None:
    with translation.override(language):
        assert day(date(2026, 11, 9)) == expected
        # 23:30 UTC is the next day there.
        assert when(1794180600, there.site) == f"{expected} 00:30"
        assert (day(None), when(None, there.site)) == ("–", "–")


def test_no_page_has_a_time_of_machines(there: SimpleNamespace, seat: Any) -> None:
    client = seat("site_administrator", there.site)
    for role, unit in (("auditor", None), ("section_manager", there.one.unit)):
        Membership.objects.create(user=client.user, role=role, site=there.site, unit=unit)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "da"
    data = {"expires": 1900000000, "not_before": 1700000000}
    report(there.one.station, "key_activated", key=100, holder=10, data=data)
    report(there.one.station, "pin_rejected", key=100)
    report(there.one.station, "lock_opened", key=100, holder=10, lock=101)
    block_key(there.two.keys[0], "Karin")
    client.post(at(there, "people/10/pin/"))
    client.post(at(there, f"stations/{there.one.station.number}/out-of-order/"), {"note": "dark"})
    day_there = there.site.today().isoformat()
    asked = {
        "q": "100",
        "about": "key",
        "since": day_there,
        "until": day_there,
        "cause": "incident",
        "reason": "Sag 77",
    }
    log = client.post(at(there, "log/"), asked)["Location"]
    pages = ("today/", "people/", "people/10/", "keys/", "keys/100/", "keys/200/", "keys/200/trail/", "pools/", "pins/",
             "renewals/", "stations/", f"stations/{there.one.station.number}/", "why/?key=100&lock=101",
             "locks/?lock=101", "users/", "log/")  # fmt: skip
    found = {path: OF_MACHINES.findall(TAG.sub(" ", words(client.get(at(there, path))))) for path in pages}
    assert {path: times for path, times in found.items() if times} == {}
    # The opening log has seconds, because several doors of a house are opened within a minute.
    page = words(client.get(log))
    rows = page.partition('id="rows"')[2].partition("</table>")[0]
    assert re.search(r"<td>\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d", rows)
    assert OF_MACHINES.findall(TAG.sub(" ", page.replace(rows, ""))) == []
