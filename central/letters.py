"""Letters as people read them: in which order names stand, and which names a typed word finds.

One rule for both databases, whose own orders differ and know no å: names are few (5,000 of a site).
"""

import unicodedata
from collections.abc import Callable
from functools import cache

AFTER_Z = {
    "sv": ("å", "äæ", "öø"),
    "fi": ("å", "äæ", "öø"),
    "da": ("æä", "øö", "å"),
    "nb": ("æä", "øö", "å"),
}
"""By language: the letters after z, each with what stands with it. In other languages å is an a."""
DOUBLE_A = frozenset({"da", "nb"})
"""Where aa is an å in another spelling."""
NO_MARKS = str.maketrans({"æ": "ae", "ø": "o", "œ": "oe", "ð": "d", "đ": "d", "þ": "th", "ł": "l", "ı": "i"})
"""What has no simpler letter in Unicode."""
FIRST_AFTER_Z = 0xE000
"""After every letter there is: Unicode's range that nobody else uses."""


class _Letters(dict[int, str]):
    """What each letter counts as: those after z, then letters without their marks."""

    def __init__(self, language: str) -> None:
        groups = AFTER_Z.get(language, ())
        super().__init__({ord(each): chr(FIRST_AFTER_Z + n) for n, group in enumerate(groups) for each in group})

    def __missing__(self, letter: int) -> str:
        self[letter] = _plain(chr(letter))
        return self[letter]


@cache
def order_of(language: str) -> Callable[[str], tuple[str, str]]:
    """A sort key for names, as a reader of that language (``sv``, ``da``, ``en-gb``) expects them. Case is ignored."""
    name = language.partition("-")[0]
    letters, double_a = _Letters(name), name in DOUBLE_A

    def key(text: str) -> tuple[str, str]:
        folded = text.casefold()
        if folded.isascii() and not double_a:
            return folded, folded
        folded = unicodedata.normalize("NFC", folded)
        # Andre before André: what differs in marks alone stands together, the plain one first.
        return (folded.replace("aa", "å") if double_a else folded).translate(letters), folded

    return key


def folded(text: str) -> str:
    """For finding: without case and marks, so that ``asa`` finds Åsa."""
    lower = text.casefold()
    return lower if lower.isascii() else _plain(lower)


def fits(typed: str, text: str) -> bool:
    """Whether every word that was typed is a part of the text; nothing typed is part of all."""
    words = folded(typed).split()
    there = folded(text) if words else ""
    return all(word in there for word in words)


def means(typed: str, number: int, name: str) -> bool:
    """Whether what was typed is that number, or fits the name: how every list and field finds people, keys, stations.

    Nothing typed means everybody.
    """
    return typed.strip() == str(number) or fits(typed, name)


def same_name(one: str, other: str) -> bool:
    """Whether both are the same name, case, marks and blanks aside."""
    return folded(one).split() == folded(other).split()


def _plain(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.translate(NO_MARKS))
    return "".join(part for part in parts if not unicodedata.combining(part))
