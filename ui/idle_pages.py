"""What an empty station says instead of its prompt: help, the technician's page, nothing at all in standby.

The pages of help replace the printed sheet beside the station.
"""

import gettext
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from station.display.idle import HelpPage, View
from station.display.screen import IdlePage, PastVisit, Screen, Status, Technician
from station.records.claims import ClockSource, Role
from station.rules.clock import ClockDoubt
from station.rules.facts import OffOnlyReason
from ui import support, times
from ui.glyphs import printable
from ui.languages import in_language
from ui.sentences import N_


class Light(Enum):
    """A light as it is drawn: the name is beside it, the colour is never alone."""

    BLUE = "blue"
    BLUE_BLINKING = "blue-blinking"
    GREEN = "green"
    RED = "red"
    PURPLE_BLINKING = "purple-blinking"
    DARK = "dark"

    @property
    def blinks(self) -> bool:
        """Whether it is drawn on and off in turn."""
        return self.value.endswith("-blinking")


@dataclass(frozen=True, slots=True)
class HelpLight:
    """A light and what it means."""

    light: Light
    meaning: str


HELP_TITLES: Mapping[HelpPage, str] = {
    HelpPage.KEY_LIGHTS: N_("The light on the key"),
    HelpPage.LOCK_LIGHTS: N_("The light on the lock"),
    HelpPage.RED_LIGHT: N_("When the lock shows red"),
    HelpPage.TEST_LOCK: N_("Try the key in the test lock"),
    HelpPage.LOGGED: N_("What is logged"),
}

LIGHTS: Mapping[HelpPage, tuple[HelpLight, ...]] = {
    HelpPage.KEY_LIGHTS: (
        HelpLight(Light.BLUE, N_("Blue: the key is ON.")),
        HelpLight(Light.BLUE_BLINKING, N_("Blue blinking: the key is OFF.")),
        HelpLight(Light.PURPLE_BLINKING, N_("Purple blinking: put it into a station.")),
        HelpLight(Light.DARK, N_("Dark: press its button. Still dark: the battery is empty.")),
    ),
    HelpPage.LOCK_LIGHTS: (
        HelpLight(Light.GREEN, N_("Green: it opens.")),
        HelpLight(Light.RED, N_("Red: it stays shut.")),
        HelpLight(Light.BLUE_BLINKING, N_("Blue blinking: the key is OFF.")),
        HelpLight(Light.PURPLE_BLINKING, N_("Purple blinking: put the key into a station.")),
        HelpLight(Light.DARK, N_("Dark: press the key's button, try again.")),
    ),
}

HELP_TEXTS: Mapping[HelpPage, tuple[str, ...]] = {
    HelpPage.KEY_LIGHTS: (),
    HelpPage.LOCK_LIGHTS: (),
    HelpPage.RED_LIGHT: (
        N_("1. Switch the key ON at a station, try again."),
        N_("2. Still red: a colleague's key."),
        N_("3. Nobody near: the nurse or the night patrol."),
        N_("4. Several locks red: call the on-call service."),
    ),
    HelpPage.TEST_LOCK: (
        N_("It is under the station and opens nothing."),
        N_("Green: the key works."),
        N_("Red: put the key into the station again, PIN and #."),
    ),
    HelpPage.LOGGED: (),
}

PRIVACY = N_(
    "Logged are the key, its holder, the time, and the lock. Ask your coordinator for how long, and who may see it."
)
"""Where the site has no notice of its own."""

FOOTER = N_("Page {page} of {pages}. Next: * Back: #")
LAST_FOOTER = N_("Page {page} of {pages}. Back: #")
"""Any other key goes back as well; one that is named is enough."""

CODE = N_("Code and #.")
TECHNICIAN = N_("Station {number}")
PRIVACY_LIMIT = 600

CLOCKS = {
    ClockSource.SYNCED: N_("set by the network"),
    ClockSource.HOLDOVER: N_("kept since the network was lost"),
    ClockSource.RTC: N_("battery clock"),
}

CLOCK_DOUBTS = {
    ClockDoubt.NO_SOURCE: N_("not trusted: nothing tells the time"),
    ClockDoubt.BEFORE_FLOOR: N_("not trusted: far back"),
    ClockDoubt.SET_BACK: N_("not trusted: set back"),
    ClockDoubt.TOO_FAR_AHEAD: N_("not trusted: far ahead"),
}
MEND_CLOCK = N_("Connect the network: the central system sets the clock.")
MEND_BOX_CLOCK = N_("Set the battery clock: hwclock --systohc.")


def instruction(shown: IdlePage, status: Status, translation: gettext.NullTranslations) -> str:
    """The heading of the page."""
    match shown.view:
        case View.HELP:
            return translation.gettext(HELP_TITLES[shown.page])
        case View.CODE:
            return translation.gettext(CODE)
        case View.TECHNICIAN:
            return translation.gettext(TECHNICIAN).format(number=status.station)
        case View.STANDBY | View.NONE:
            return ""
        case never:  # pragma: no cover
            assert_never(never)


def reason(shown: IdlePage, translation: gettext.NullTranslations) -> str:
    """Which page of help it is."""
    if shown.view is not View.HELP:
        return ""
    footer = LAST_FOOTER if shown.page is max(HelpPage) else FOOTER
    return translation.gettext(footer).format(page=shown.page + 1, pages=len(HelpPage))


def lights(shown: IdlePage, translation: gettext.NullTranslations) -> tuple[HelpLight, ...]:
    """The lights that a page of help explains."""
    if shown.view is not View.HELP:
        return ()
    return tuple(HelpLight(row.light, translation.gettext(row.meaning)) for row in LIGHTS.get(shown.page, ()))


def notes(shown: IdlePage, screen: Screen, language: str, translation: gettext.NullTranslations) -> list[str]:
    """The sentences of a page, or the technician's facts."""
    if shown.view is View.TECHNICIAN and shown.technician is not None:
        return _technician(shown.technician, screen.status, translation)
    if shown.view is not View.HELP:
        return []
    if shown.page is HelpPage.LOGGED:
        notice = in_language(shown.privacy, language) or translation.gettext(PRIVACY)
        return [printable(notice, PRIVACY_LIMIT)]
    return [translation.gettext(text) for text in HELP_TEXTS[shown.page]]


def _technician(page: Technician, status: Status, translation: gettext.NullTranslations) -> list[str]:
    works = translation.gettext("works") if page.reader_works else translation.gettext("NO CONTACT")
    clock = translation.gettext(CLOCKS[page.clock] if isinstance(page.clock, ClockSource) else CLOCK_DOUBTS[page.clock])
    age = times.age(status.mirror_age_s, translation) if status.mirror_age_s is not None else "-"
    certificate = times.date(page.certificate_expires, status.time_zone)
    clock_fact = translation.gettext("Clock: {source}").format(source=clock)
    facts = [
        translation.gettext("Reader: {port}, {state}").format(port=printable(page.reader), state=works),
        clock_fact,
        translation.gettext("Data: {age}, {count} objects").format(age=age, count=_count(page.mirror_objects)),
        translation.gettext("Outbox: {count} events").format(count=_count(page.outbox_events)),
        translation.gettext("Configuration: {version}").format(version=printable(page.config_version or "-")),
        translation.gettext("Version: {version}; certificate until {date}").format(
            version=page.version, date=certificate
        ),
    ]
    if page.central and status.role is not Role.ACTIVATION_BOX:
        # Without what every address begins with: a small screen has a line for it.
        place = printable(page.central.partition("://")[2])
        central = place if status.online else f"{place}, {_hindrance(status, translation)}"
        facts.insert(1, translation.gettext("Central: {central}").format(central=central))
    if isinstance(page.clock, ClockDoubt):
        box = status.role is Role.ACTIVATION_BOX
        facts.insert(facts.index(clock_fact) + 1, translation.gettext(MEND_BOX_CLOCK if box else MEND_CLOCK))
    if status.off_only is not None:
        facts.insert(0, translation.gettext("Only OFF: H{code} {name}").format(**_off_only_reason(status.off_only)))
    if page.visits:
        visits = " · ".join(_visit(visit, status) for visit in page.visits)
        facts.append(translation.gettext("Visits: {visits}").format(visits=visits))
    return facts


def _hindrance(status: Status, translation: gettext.NullTranslations) -> str:
    """Why central is of no use: the code for it where something answers."""
    return printable(status.central_fault) if status.central_fault else translation.gettext("NO CONTACT")


def _off_only_reason(off_only: OffOnlyReason) -> dict[str, object]:
    return {"code": support.HINDRANCES[off_only], "name": off_only.value}


def _count(count: int | None) -> str:
    return "?" if count is None else str(count)


def _visit(visit: PastVisit, status: Status) -> str:
    """``06:58 refused R04``: when, how it ended as in ``station status``, and the code of a refusal."""
    time = times.time_of_day(visit.unix_s, status.time_zone)
    refusal = f" R{support.REFUSALS[visit.refusal]:02}" if visit.refusal is not None else ""
    return f"{time} {visit.outcome or '?'}{refusal}"
