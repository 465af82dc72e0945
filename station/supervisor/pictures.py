"""The supervisor's own pictures: a few centred lines on a dark screen, in bytes for a terminal."""

from collections.abc import Sequence

from station.supervisor.neighbours import Neighbours, Support
from station.supervisor.sentences import Sentences
from station.supervisor.sizes import Size

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def starting(sentences: Sentences, size: Size) -> bytes:
    """The first picture of all."""
    return _centred([sentences.starting], size)


def restarting(sentences: Sentences, size: Size) -> bytes:
    """From the death of a kiosk to the first picture of the next."""
    return _centred([sentences.restarting, "", sentences.key_in], size)


def out_of_order(sentences: Sentences, size: Size, neighbours: Neighbours) -> bytes:
    """Where to go instead, and whom to call."""
    lines = [sentences.out_of_order, "", sentences.cannot]
    if neighbours.stations:
        lines += ["", sentences.use, *neighbours.stations]
    if neighbours.support:
        lines += ["", *(_support(each, sentences) for each in neighbours.support)]
    return _centred([*lines, "", sentences.again], size)


def _support(support: Support, sentences: Sentences) -> str:
    """As ``Key support: 000-000 01 (Mon-Fri 08:00-16:30)``."""
    days = "-".join(sentences.days.get(day, day) for day in support.days.split("-"))
    when = " ".join(filter(None, [days, support.hours]))
    return f"{support.text}: {support.phone}" + (f" ({when})" if when else "")


def _centred(lines: Sequence[str], size: Size) -> bytes:
    """``lines`` in the middle, the first one bold. What does not fit is cut off: the last lines matter least."""
    shown = [line[: size.columns] for line in lines][: size.rows]
    top = (size.rows - len(shown)) // 2 + 1
    picture = ""
    for number, line in enumerate(shown):
        left = (size.columns - len(line)) // 2 + 1
        bold = _BOLD if number == 0 else ""
        picture += f"\x1b[{top + number};{left}H{bold}{line}{_PLAIN}"
    return picture.encode()
