"""Times and days, by the site's clocks and as people of the language write them."""

from datetime import date
from types import SimpleNamespace

import pytest
from django.utils import translation

from central.office.templatetags.office import day, when


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
