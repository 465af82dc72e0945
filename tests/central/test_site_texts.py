"""What a site may say in its own words: only what every reader understands in one way gets into the mirror."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from central.models.site_texts import check_help, check_support, check_texts
from central.operations.sample import places

ENTRY = places.SUPPORT[0]


def test_the_sample_is_taken() -> None:
    check_support(places.SUPPORT)
    check_texts(places.PRIVACY_NOTICE)
    check_help({"sv": {"lost": "Ring 000-000 03.", "pin": ""}, "da": {}})
    check_support([ENTRY | {"phone": "+46 000-000 01", "from": 0, "to": 1440}])


@pytest.mark.parametrize(
    "value",
    ["x", None, ["sv"], {"svenska": "x"}, {"SV": "x"}, {"så": "x"}, {"sv": 1}, {"sv": "\ud800"}, {"sv": "x" * 2001}],
)
def test_texts_that_are_none(value: Any) -> None:
    with pytest.raises(ValidationError):
        check_texts(value)
    with pytest.raises(ValidationError):
        check_help(value)


@pytest.mark.parametrize("value", [{"sv": {"weather": "x"}}, {"sv": {"lost": 1.5}}, {"sv": {"lost": {"x": "y"}}}])
def test_help_on_what_there_is_no_help_on(value: Any) -> None:
    with pytest.raises(ValidationError):
        check_help(value)


@pytest.mark.parametrize(
    "change",
    [
        {"days": 0}, {"days": 128}, {"days": "mon-fri"}, {"days": True}, {"from": -1}, {"from": 600, "to": 600},
        {"to": 1441}, {"to": 600.0}, {"holidays": 1}, {"phone": "call us"}, {"phone": ""}, {"text": {"sv": None}},
        {"more": 1},
    ],
)  # fmt: skip
def test_support_that_stations_cannot_read(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        check_support([ENTRY | change])
    with pytest.raises(ValidationError):
        check_support({"0": ENTRY})
    with pytest.raises(ValidationError):
        check_support([ENTRY] * 21)
