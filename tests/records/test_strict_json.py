"""Central's JSON: what two readers could understand in two ways is refused, and there is one canonical text."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.records.strict_json import LEVELS_LIMIT, MAX_NUMBER, JsonRefused, canonical, read, read_at

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "mirror_digest.json").read_text())


def nested(levels: int, before: str = "[", after: str = "]") -> bytes:
    return (before * levels + after * levels).encode()


def refusal(text: bytes) -> str:
    with pytest.raises(JsonRefused) as refused:
        read(text)
    return refused.value.code


@pytest.mark.parametrize("vector", VECTORS["objects"], ids=lambda v: v["name"])
def test_canonical_vector(vector: dict[str, Any]) -> None:
    assert canonical(vector["object"]) == vector["canonical"].encode()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "json_malformed"),
        (b"{", "json_malformed"),
        (b"{} {}", "json_malformed"),
        (b"[01]", "json_malformed"),
        (b"[1,]", "json_malformed"),
        (b'["\x01"]', "json_malformed"),
        (b'["\xff"]', "json_malformed"),
        (b'["\xed\xa0\xbd"]', "json_malformed"),
        (b"\xef\xbb\xbf[]", "json_malformed"),
        ("[1]".encode("utf-16"), "json_malformed"),
        ("[１]".encode(), "json_malformed"),
        (b"[NaN]", "json_number"),
        (b"[-Infinity]", "json_number"),
        (b"[-0]", "json_number"),
        (b"[0.0]", "json_number"),
        (b"[-0.0]", "json_number"),
        (b"[1e0]", "json_number"),
        (b"[" + b"9" * 5000 + b"]", "json_number"),
        (b"[9007199254740992]", "json_number"),
        (b"[-9007199254740992]", "json_number"),
        (b'{"a":1,"b":{},"\\u0061":1}', "json_name_twice"),
        ('{"å":1}'.encode(), "json_name"),
        (b'{"cursor":"\\ud800"}', "json_surrogate"),
        (b'["\\udc00\\ud800"]', "json_surrogate"),
        (nested(LEVELS_LIMIT + 1), "json_too_deep"),
        (nested(LEVELS_LIMIT + 1, '{"a":', "}").replace(b":}", b":1}", 1), "json_too_deep"),
        (nested(100_000), "json_too_deep"),
    ],
)
def test_refused_whole(text: bytes, code: str) -> None:
    assert refusal(text) == code


def test_taken() -> None:
    assert read(b' {"a" : [ -1, 0, true, null, "\\ud83d\\udd11\\/"] } ') == {"a": [-1, 0, True, None, "🔑/"]}
    assert read(b"[9007199254740991,-9007199254740991]") == [MAX_NUMBER, -MAX_NUMBER]
    assert read(nested(LEVELS_LIMIT)) is not None


@pytest.mark.parametrize("value", [1.0, {1: 2}, {"å": 1}, 2**53, "\ud800", (1,), b"1", {"a": [0.5]}, {"a": object()}])
def test_what_could_not_be_read_has_no_canonical_text(value: Any) -> None:
    with pytest.raises(JsonRefused):
        canonical(value)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_NUMBER, MAX_NUMBER)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=values)
def test_canonical_round_trip(value: Any) -> None:
    text = canonical(value)
    assert read(text) == value
    assert canonical(read(json.dumps(value, indent=1).encode())) == text


@given(text=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_noise_is_read_or_refused_and_nothing_else_happens(text: bytes) -> None:
    try:
        value = read(text)
    except JsonRefused:
        return
    assert read(canonical(value)) == value


def test_a_value_is_read_where_it_begins() -> None:
    text = '[{"a":1},{"b":[2]}] and more'
    assert read_at(text, 1) == ({"a": 1}, 8)
    assert read_at(text, 9) == ({"b": [2]}, 18)


@pytest.mark.parametrize(
    ("text", "code"),
    [('{"a":', "json_malformed"), ("[" * 100_000, "json_too_deep")],
)
def test_what_is_not_whole_or_not_strict_is_not_read(text: str, code: str) -> None:
    with pytest.raises(JsonRefused) as refused:
        read_at(text, 0)
    assert refused.value.code == code
