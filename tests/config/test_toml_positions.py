"""Where a key stands in a TOML text."""

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.toml_positions import KeyPath, find_positions

TEXT = '''\
# [not.a.table]
top = 1

[plain] # a comment = 3
one = "a # no comment \\" = ]"
two.three = 'x = "y'
"quo.ted" = 0x1F
'lit' = 1979-05-27 07:32:00
[ spaced . "ta ble" ]
long = """
[nothing]
four = 4 \\""" still """"
after = 5
raw = \'\'\'
[nothing]
it\'s \'\' quoted\'\'\'\'\'
list = [
  1, # one
  "]", [2, 3],
]
inline = { a = 1, b.c = "}", d = [ { e = 2 } ] }
[[many]]
x = 1
[[many]]
x = 2
[many.sub]
y = 3
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("plain",), 4),
        (("plain", "one"), 5),
        (("plain", "two"), 6),
        (("plain", "two", "three"), 6),
        (("plain", "quo.ted"), 7),
        (("plain", "lit"), 8),
        (("spaced", "ta ble"), 9),
        (("spaced", "ta ble", "long"), 10),
        (("spaced", "ta ble", "after"), 13),
        (("spaced", "ta ble", "raw"), 14),
        (("spaced", "ta ble", "list"), 17),
        (("spaced", "ta ble", "list", 1), 19),
        (("spaced", "ta ble", "list", 2, 1), 19),
        (("spaced", "ta ble", "inline", "b", "c"), 21),
        (("spaced", "ta ble", "inline", "d", 0, "e"), 21),
        (("many",), 22),
        (("many", 0, "x"), 23),
        (("many", 1, "x"), 25),
        (("many", 1, "sub", "y"), 27),
        (("plain", "missing"), 4),
        (("nowhere", "at all"), 1),
    ],
)
def test_lines(path: KeyPath, line: int) -> None:
    tomllib.loads(TEXT)
    assert find_positions(TEXT).line(path) == line


def test_the_value_is_exactly_what_stands_there() -> None:
    places = find_positions(TEXT).by_path
    document = tomllib.loads(TEXT)
    for path, place in places.items():
        value: Any = document
        for part in path:
            value = value[part]
        written = TEXT[place.value_start : place.value_end]
        if written and not isinstance(path[-1], int):
            assert tomllib.loads(f"v = {written}")["v"] == value, path


KEYS = st.text(min_size=1, max_size=5) | st.sampled_from(["a", "b", "a.b", "#", "=", "[", '"""', "'"])
VALUES = st.recursive(
    st.integers(-9, 9) | st.booleans() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def _quoted(text: str) -> str:
    # JSON's strings are TOML's, but for the delete sign and for halves of pairs.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _written(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_quoted(key)} = {_written(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[\n" + "".join(f"  {_written(inner)}, # ] }}\n" for inner in value) + "]"
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=4), max_size=4))
def test_every_key_of_any_document_has_its_place(document: dict[str, dict[str, Any]]) -> None:
    lines: dict[KeyPath, int] = {}
    text = ""
    for table, values in document.items():
        lines[table,] = text.count("\n") + 1
        text += f"[{_quoted(table)}]\n"
        for key, value in values.items():
            lines[table, key] = text.count("\n") + 1
            text += f"{_quoted(key)} = {_written(value)} # = [\n"
    assert tomllib.loads(text) == document
    places = find_positions(text)
    assert {path: places.by_path[path].line for path in lines} == lines


@given(st.text(alphabet="ab.=[]{}\"'#\n \\,1", max_size=60))
def test_no_text_stops_the_scanner(text: str) -> None:
    find_positions(text)
