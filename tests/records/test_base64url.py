"""Byte strings in JSON have one spelling."""

import pytest

from station.records.base64url import decoded, encoded


@pytest.mark.parametrize(("text", "data"), [("", b""), ("AA", b"\0"), ("_-A", b"\xff\xe0"), ("A" * 22, bytes(16))])
def test_one_spelling(text: str, data: bytes) -> None:
    assert encoded(data) == text
    assert decoded(text) == data


@pytest.mark.parametrize("text", ["A", "AB", "AA==", "AAA=", "+/A", "A A", "\nAA", "Å", "A" * 21 + "B"])
def test_every_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not base64url|ASCII"):
        decoded(text)
