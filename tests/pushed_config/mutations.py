"""A good file changed at random, and what must come of it: applied, or rejected on a certain line."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from config.models import Settings

# Numbers that may change at any time, with their bounds as the documents have them.
NUMBERS = {
    "poll_s": (10, 3600),
    "refresh_deadline_ms": (0, 5000),
    "entry_timeout_s": (5, 60),
    "active_minutes": (30, 660),
    "mirror_max_age_days": (1, 10),
    "left_in_s": (30, 600),
    "receipt_s": (3, 120),
}
CHOICES = {
    "language": ['"sv"', '"da"', '"nb"', '"fi"', '"en"'],
    "bell": ["true", "false"],
    "trust_ntp": ["true", "false"],
    "trust_rtc": ["true", "false"],
    "time_zone": ['"Europe/Stockholm"', '"Europe/Copenhagen"'],
    "baud": ["115200", "460800", "1000000"],
}


@dataclass(frozen=True)
class Mutation:
    name: str
    content: bytes
    line: int | None
    """Where it is to be rejected; None: it is valid."""


def mutated(random: Random, good: str) -> Mutation:
    """One random change of ``good``, a valid file with every key of `NUMBERS` and `CHOICES` on a line of its own."""
    change = random.choice([*_VALID, *_INVALID])
    lines = good.splitlines()
    line = change(random, lines)
    content = "\n".join(lines) + "\n"
    data = content.encode()
    if change is _not_utf_8:
        data = data.replace("�".encode(), b"\xe5")
    if change is _cut_off:
        kept = data[: random.randrange(1, len(data) - len("# end\n"))]
        return Mutation("cut_off", kept, kept.rstrip().count(b"\n") + 1)
    return Mutation(change.__name__.strip("_"), data, line)


def _at(random: Random, lines: list[str], keys: object = None) -> int:
    """The index of a random line with a key (one of ``keys``)."""
    wanted = set(keys) if isinstance(keys, dict) else None
    places = [i for i, line in enumerate(lines) if "=" in line and (wanted is None or _key(line) in wanted)]
    return random.choice(places)


def _key(line: str) -> str:
    return line.partition("=")[0].strip()


# --- valid ---


def _other_number(random: Random, lines: list[str]) -> None:
    i = _at(random, lines, NUMBERS)
    lines[i] = f"{_key(lines[i])} = {random.randint(*NUMBERS[_key(lines[i])])}"


def _other_choice(random: Random, lines: list[str]) -> None:
    i = _at(random, lines, CHOICES)
    lines[i] = f"{_key(lines[i])} = {random.choice(CHOICES[_key(lines[i])])}"


def _comment(random: Random, lines: list[str]) -> None:
    lines.insert(random.randrange(len(lines)), f"# {random.getrandbits(32):x}")


def _layout(random: Random, lines: list[str]) -> None:
    i = _at(random, lines)
    key, _, value = lines[i].partition("=")
    lines[i] = f"  {key.strip()}{' ' * random.randrange(3)}={' ' * random.randrange(3)}{value.strip()}  # as before"


def _default(random: Random, lines: list[str]) -> None:
    del lines[_at(random, lines, NUMBERS)]


def _ends_twice(random: Random, lines: list[str]) -> None:
    lines += [""] * random.randrange(3)


# --- invalid; each returns the line that is wrong ---


def _out_of_bounds(random: Random, lines: list[str]) -> int:
    i = _at(random, lines, NUMBERS)
    low, high = NUMBERS[_key(lines[i])]
    lines[i] = f"{_key(lines[i])} = {random.choice([low - 1, high + 1, -high, high * 10])}"
    return i + 1


def _wrong_type(random: Random, lines: list[str]) -> int:
    i = _at(random, lines)
    lines[i] = f"{_key(lines[i])} = {random.choice(['[]', '1.5', '{ a = 1 }', '1979-05-27', 'nan'])}"
    return i + 1


def _unknown_key(random: Random, lines: list[str]) -> int:
    i = _at(random, lines, NUMBERS)
    lines[i] = f"{_key(lines[i])[:-1]}x = 1"
    return i + 1


def _unknown_table(random: Random, lines: list[str]) -> int:
    i = lines.index("[policy]")
    lines[i] = "[policies]"
    return i + 1


def _twice(random: Random, lines: list[str]) -> int:
    i = _at(random, lines)
    lines.insert(i + 1, lines[i])
    return i + 2


def _table_twice(random: Random, lines: list[str]) -> int:
    lines.insert(len(lines) - 1, f"[{random.choice(list(Settings.model_fields)[:4])}]")
    return len(lines) - 1


def _no_equals(random: Random, lines: list[str]) -> int:
    i = _at(random, lines)
    lines[i] = lines[i].replace("=", " ", 1)
    return i + 1


def _no_value(random: Random, lines: list[str]) -> int:
    i = _at(random, lines)
    lines[i] = f"{_key(lines[i])} ="
    return i + 1


def _open_string(random: Random, lines: list[str]) -> int:
    i = _at(random, lines, {"language": None, "time_zone": None})
    lines[i] = lines[i].rstrip('"')
    return i + 1


def _control_character(random: Random, lines: list[str]) -> int:
    i = random.randrange(len(lines) - 1)
    lines[i] += random.choice("\0\x07\x1b\x7f")
    return i + 1


def _not_utf_8(random: Random, lines: list[str]) -> int:
    i = random.randrange(len(lines) - 1)
    lines[i] += "  # �"
    return i + 1


def _another_station(random: Random, lines: list[str]) -> int:
    i = _at(random, lines, {"number": None})
    lines[i] = f"number = {random.randrange(100, 65536)}"
    return i + 1


def _cut_off(random: Random, lines: list[str]) -> None:
    """See `mutated`."""


_Change = Callable[[Random, list[str]], int | None]
_VALID: list[_Change] = [_other_number, _other_number, _other_choice, _other_choice, _comment, _layout, _default]
_VALID += [_ends_twice]
_INVALID: list[_Change] = [
    _out_of_bounds,
    _wrong_type,
    _unknown_key,
    _unknown_table,
    _twice,
    _table_twice,
    _no_equals,
    _no_value,
    _open_string,
    _control_character,
    _not_utf_8,
    _another_station,
    _cut_off,
]
