"""Byte strings in JSON: one spelling for each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.records.base64url import decoded, encoded


@given(st.binary(max_size=100))
def test_base64url_round_trip(data: bytes) -> None:
    assert decoded(encoded(data)) == data


@pytest.mark.parametrize("text", ["A", "AB", "AA==", "AA\n", "A+8_", "A/8_", "å", "AAA ", "AAAA=", "\ud800AAA"])
def test_base64url_has_one_spelling(text: str) -> None:
    with pytest.raises(ValueError):
        decoded(text)
