"""What the routine says that staff are trained with, and on which screen it stands.

A test holds each message to its screen, in every language.
"""

from typing import NamedTuple

from station.display.idle import HelpTopic
from station.display.screen import Line
from station.rules.facts import Refusal
from ui import sentences
from ui.help_texts import TEXTS


class Taught(NamedTuple):
    """A sentence of the routine."""

    sentence: str
    screen: str
    """The name of its picture."""
    message: str
    """What the screen says, before it is translated."""


def _help(topic: HelpTopic, *sentences_in_order: str) -> list[Taught]:
    """Sentences that stand on a page of help as they follow each other there."""
    name = f"help-{topic}".replace("_", "-")
    return [Taught(said, name, message) for said, message in zip(sentences_in_order, TEXTS[topic], strict=False)]


SHIFT = [
    Taught("Press the button, put the key in", "empty", sentences.LINES[Line.EMPTY][0]),
    Taught("Not in a heavy bunch", "empty", sentences.LINES[Line.EMPTY][1]),
    Taught("It is OFF. Going home: take it out. Starting: PIN and #", "prompt", sentences.LINES[Line.PROMPT][0]),
    Taught("Press the key's button: it shines steady blue", "ready", sentences.ROUTINE[0]),
    Taught("Try it in the lock under the station", "ready", sentences.ROUTINE[1]),
    Taught("An emergency key is a loan, your PIN the receipt", "emergency-prompt", sentences.LOAN_AT_PROMPT),
    Taught("After a new battery the PIN is asked again", "lost-power", sentences.LOST_POWER),
    Taught("Refused: what is wrong", "refused-blocked", sentences.REFUSALS[Refusal.BLOCKED][0]),
    Taught("Take an emergency key, sign with your PIN", "refused-blocked", sentences.REFUSALS[Refusal.BLOCKED][2]),
    Taught("The same when the key is out", "refused-out", sentences.REFUSALS[Refusal.BLOCKED][2]),
    Taught("The contact wavers: press gently, hold", "flickering", sentences.HOLD_GENTLY),
    Taught("Taken out too early: put it back", "out-early", sentences.LINES[Line.OUT_EARLY][0]),
    Taught("Only switches OFF: start at another station", "only-off", sentences.ONLY_OFF[1]),
    Taught("Out of order: another station", "out-of-order", sentences.LINES[Line.READER_BROKEN][0]),
]
"""From its start to its end, and what may come between."""
HELP = [
    *_help(
        HelpTopic.WAKE,
        "The key does not wake: press its button",
        "Battery empty: how to change it",
        "Batteries are with the coordinator",
        "Then put it in at the station again",
        "What its lamp says",
    ),
    *_help(HelpTopic.CONTACT, "No contact: press its button first", "Press gently on its underside"),
    *_help(
        HelpTopic.KEY_RED,
        "Several people red: the on-call manager",
        "The key's lamp is red at a box",
        "Office hours: the technicians",
        "Else a colleague; nurse or night patrol",
    ),
    *_help(
        HelpTopic.GREEN_STUCK,
        "Green, but it does not open: ring the client",
        "Relatives",
        "Rented home: the landlord",
        "Private home: the on-call manager, who calls the fire service",
    ),
    *_help(
        HelpTopic.FROZEN,
        "Frozen box: tap",
        "Heat pad from the coordinator",
        "Never spray, water or flame",
        "Do not drop the box",
        "Still frozen: as when it does not open",
        "How to prevent it",
    ),
    *_help(
        HelpTopic.LOST,
        "Key lost: report it",
        "Hand in the broken one",
        "Emergency key, your PIN is the receipt",
        "A loan; hourly staff take a substitute key",
        "Where the pool is, by day and by night",
    ),
    *_help(HelpTopic.STATION_DEAD, "This station is dead: hold 0 and 2", "Use another one, report this one"),
    *_help(
        HelpTopic.ALL_DEAD,
        "All stations are dead: the activation box",
        "Key in, PIN and #",
        "Which keys it takes",
        "It refuses the key: a colleague, the on-call manager",
    ),
    *_help(HelpTopic.WEAR, "Not in a heavy bunch: it wears out the key"),
    *_help(HelpTopic.LOGGED, "What is logged", "Who may see it"),
]
EVERY = [*SHIFT, *HELP]
