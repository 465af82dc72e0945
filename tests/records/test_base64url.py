"""Byte strings in JSON: one spelling for each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.records.base64url import decoded, decoded_or_nothing, encoded


@given(st.binary(max_size=100))
def test_base64url_round_trip(data: bytes) -> None:
    assert decoded(encoded(data)) == data


@pytest.mark.parametrize("text", ["A", "AB", "AA==", "AA\n", "A+8_", "A/8_", "å", "AAA ", "AAAA=", "\ud800AAA"])
def test_base64url_has_one_spelling(text: str) -> None:
    with pytest.raises(ValueError):
        decoded(text)


@pytest.mark.parametrize(
    ("told", "read"), [("AAA", b"\0\0"), ("", b""), ("AB", b""), ("A+8_", b""), (7, b""), (None, b"")]
)
def test_what_is_no_byte_string_is_nothing(told: object, read: bytes) -> None:
    assert decoded_or_nothing(told) == read
