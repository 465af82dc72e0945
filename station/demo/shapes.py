"""What a scenario may say: every verb, its words, and what it does. The reference page is made from this."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from station.core.facts import Hindrance, Refusal, Shortened
from station.core.locks import Light, Reason
from station.display.screen import Line
from station.ports import KeyFile

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SECONDS_LIMIT = 400 * 86400


@dataclass(frozen=True, slots=True)
class Word:
    """One word after a verb: how it is called in the usage, which ones fit, and what to say of them."""

    name: str
    fits: Callable[[str], bool]
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """The forms that a step may take: each a sequence of words. ``does`` is one sentence."""

    does: str
    forms: Sequence[Sequence[Word]] = ((),)

    def fits(self, words: Sequence[str]) -> bool:
        """Whether ``words`` have one of the forms."""
        return any(
            len(form) == len(words) and all(word.fits(text) for word, text in zip(form, words, strict=True))
            for form in self.forms
        )

    def usage(self, verb: str) -> str:
        """All forms in one line."""
        return " | ".join(" ".join([verb, *(word.name for word in form)]) for form in self.forms)


def _number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 0 < int(text) < 2**32


def _whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 9


def _seconds(text: str) -> bool:
    whole, _, part = text.partition(".")
    return _whole(whole) and (part == "" or _whole(part)) and float(text) <= _SECONDS_LIMIT


def _clock(text: str) -> bool:
    hour, colon, minute = text.partition(":")
    both = len(hour) == len(minute) == 2 and (hour + minute).isascii() and (hour + minute).isdecimal()
    return both and colon == ":" and int(hour) < 24 and int(minute) < 60


def _event_type(text: str) -> bool:
    return text.replace("_", "").isalpha() and text.islower() and text.isascii()


def _one_of(name: str, values: Sequence[str], meaning: str = "") -> Word:
    return Word(name, lambda text: text in values, meaning)


def _literally(word: str) -> Word:
    return _one_of(word, [word])


KEY = Word("KEY", _number, "the number of a key of the sample site, as `station demo` lists them")
HOLDER = Word("HOLDER", _number, "the number of a person of the sample site")
UNIT = Word("UNIT", _number, "the number of a unit")
STATION = Word("STATION", _number, "the number of a station")
LOCK = Word("LOCK", _number, "the number of a lock; 1 is every station's test lock")
AREA = Word("AREA", _number, "the number of an area")
SECONDS = Word("SECONDS", _seconds, "a number, with a point if need be")
MILLISECONDS = Word("MS", _whole, "whole milliseconds")
COUNT = Word("COUNT", _whole, "a whole number")
CLOCK = Word("HH:MM", _clock, "what the site's clocks show")
DAY = _one_of("DAY", WEEKDAYS, f"{', '.join(f'`{day}`' for day in WEEKDAYS)}")
TEXT = Word('"TEXT"', bool, "anything, in quotes")
STROKES = Word(
    "STROKES", lambda text: text != "" and set(text) <= set("0123456789*#<"), "`0-9`, `*`, `#`; `<` is Backspace"
)
LINE = _one_of("LINE", list(Line), "what the screen says, below")
REASON = _one_of("REASON", [*Refusal, *Hindrance, *Shortened], "why, below")
OUTCOME = _one_of("OUTCOME", list(Reason), "what a lock says, below")
LIGHT = _one_of("LIGHT", list(Light), "what a key's own light shows, below")
FILE = _one_of("FILE", [*KeyFile, "any"], "a file on a key, below; `any` is each of them but the log")
TYPE = Word("TYPE", _event_type, "the type of an event, as stations report it: `key_activated` …")

WORDS = (KEY, HOLDER, UNIT, STATION, LOCK, AREA, SECONDS, MILLISECONDS, COUNT, CLOCK, DAY, TEXT, STROKES, LINE, REASON,
         OUTCOME, LIGHT, FILE, TYPE)  # fmt: skip
"""In the order of the reference page."""

GROUPS: Mapping[str, Mapping[str, Shape]] = {
    "Telling": {
        "say": Shape("A heading. `event`, `no-event`, `log` and `file` look at what has happened since.", [[TEXT]]),
    },
    "At the station": {
        "insert": Shape("Presses a key's button, puts it in, and waits until the station has noticed.", [[KEY]]),
        "press": Shape("Presses a key's button: it is awake for 20 s.", [[KEY]]),
        "pull": Shape(
            "Takes the key out. What comes next at this station waits until that has been noticed; a lock does not."
        ),
        "bounce": Shape("Breaks the key's contact for so long; the station may or may not notice.", [[SECONDS]]),
        "type": Shape("Types on the keypad.", [[STROKES]]),
        "pin": Shape(
            "Types somebody's PIN as `*PIN#`; with `end` as `PIN#`, with `start` as `*PIN`, with `only` the digits.",
            [[HOLDER], [HOLDER, _one_of("start|end|only", ["start", "end", "only"])]],
        ),
        "lose-power": Shape("Takes a key's battery out and puts it in again.", [[KEY]]),
        "station": Shape(
            "Goes to another station of the site; it is put up and enrolled the first time. A script begins at 1.",
            [[STATION]],
        ),
    },
    "The station itself": {
        "restart": Shape("Stops the station and starts it again."),
        "power": Shape(
            "Takes the station's power: it ends in the middle of what it does. Gives it back: the machine boots anew; "
            "without a battery-backed clock its time has stood still.",
            [[_one_of("cut|back", ["cut", "back"])]],
        ),
        "sync": Shape(
            "Stops the station, runs `station sync`, starts it again; an activation box is connected meanwhile."
        ),
        "reader": Shape(
            "Takes the station's key reader away, or puts it back.", [[_one_of("gone|back", ["gone", "back"])]]
        ),
        "rtc": Shape(
            "Fits this station with a battery-backed clock that its configuration trusts, or takes it away (as at the "
            "beginning). An activation box always has one.",
            [[_one_of("on|off", ["on", "off"])]],
        ),
    },
    "Around it": {
        "skip": Shape(
            "Lets time pass at once, for central, stations, keys and locks: so many seconds, or until the clocks show "
            "that time again.",
            [[SECONDS], [_literally("until"), CLOCK], [_literally("until"), DAY, CLOCK]],
        ),
        "network": Shape(
            "Cuts this station's network, restores it, or makes each answer of central take longer.",
            [[_one_of("cut|restored", ["cut", "restored"])], [_literally("slow"), MILLISECONDS]],
        ),
        "ntp": Shape(
            "What the kernel says of this station's clock: synchronised or not (as at the beginning).",
            [[_one_of("on|off", ["on", "off"])]],
        ),
        "central": Shape("Waits until this station has asked central for news.", [[_literally("refreshed")]]),
        "manage": Shape(
            "Does at central what a coordinator does, and has this station ask for news.",
            [
                [
                    _one_of(
                        "block-key|unlock-key|return-key|hand-out-key",
                        ["block-key", "unlock-key", "return-key", "hand-out-key"],
                    ),
                    KEY,
                ],
                [
                    _one_of("end-holder|new-pin|withdraw-permission", ["end-holder", "new-pin", "withdraw-permission"]),
                    HOLDER,
                ],
                [_literally("withdraw-permission"), HOLDER, UNIT],
                [_one_of("close-unit|open-unit", ["close-unit", "open-unit"]), UNIT],
            ],
        ),
    },
    "Expecting": {
        "see": Shape(
            "The screen comes to say this, for this reason: a refusal, what a station cannot do, or why an activation "
            "is shorter than usual.",
            [[LINE], [LINE, REASON]],
        ),
        "never": Shape("The screen has not said this since the last `insert`.", [[LINE]]),
        "lamp": Shape(
            "An activation box's lamp: `blue` the key is there and off, `green` it is on, `red` refused.",
            [[_one_of("dark|blue|green|red", ["dark", "blue", "green", "red"])]],
        ),
        "key-shown": Shape("The screen is about this key.", [[KEY]]),
        "digits": Shape("The screen shows so many typed digits.", [[COUNT]]),
        "wait": Shape("The screen counts down from about so many seconds.", [[COUNT]]),
        "age": Shape("The screen says that the data is so old, or at most a minute older.", [[SECONDS]]),
        "lock": Shape(
            "Turns a key in a lock; `record` has the lock write it to the key's log.",
            [[KEY, LOCK, AREA, OUTCOME], [KEY, LOCK, AREA, OUTCOME, _literally("record")]],
        ),
        "light": Shape("The key's own light.", [[KEY, LIGHT]]),
        "file": Shape(
            "A file on a key has something in it or not; has been written since the last `say` or not.",
            [[KEY, FILE, _one_of("there|empty|written|unwritten", ["there", "empty", "written", "unwritten"])]],
        ),
        "event": Shape(
            "Central gets to hear of this since the last `say`: the type, about this key, with this reason.",
            [[TYPE], [TYPE, KEY], [TYPE, KEY, REASON]],
        ),
        "no-event": Shape(
            "Everything that the station had to tell has reached central, and this was not in it since the last `say`.",
            [[TYPE], [TYPE, KEY]],
        ),
        "log": Shape(
            "Central's opening log has one entry since the last `say` of this lock, this key and this holder.",
            [[LOCK, KEY, HOLDER]],
        ),
        "trail": Shape("Everything that central has heard about a key, oldest first, is printed.", [[KEY]]),
        "reconciled": Shape(
            "Every station and box that the script went to has handed over all that it counted, central has each event "
            "once, and the opening log is what the locks wrote, no more and no less."
        ),
    },
}

SHAPES: Mapping[str, Shape] = {verb: shape for group in GROUPS.values() for verb, shape in group.items()}
