"""What an empty station says instead of its prompt: help, the technician's page, nothing at all in standby."""

import gettext
from collections.abc import Mapping

from station.display.idle import View
from station.display.screen import IdlePage, PastVisit, Screen, Status, Technician
from station.records.claims import ClockSource, Role
from station.rules.clock import ClockDoubt
from ui import help_texts, support, times
from ui.glyphs import printable
from ui.sentences import HINDRANCES, N_, REFUSALS
from ui.sheet import Sheet

BACK = N_("Back: #")
MORE = N_("More: *")
CODE = N_("Code and #.")
WRONG_CODE = N_("Wrong code.")
STATION = N_("Station {number}")

CLOCKS = {
    ClockSource.SYNCED: N_("set by the network"),
    ClockSource.HOLDOVER: N_("runs by itself since the network was lost"),
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

CENTRAL_REFUSES: Mapping[str, str] = {
    "unauthorized": N_("it does not know this station's token: enrol it anew"),
    "forbidden": N_("not for this kind of station"),
    "unavailable": N_("it has a fault of its own"),
    "too_many_tries": N_("too many tries: it waits"),
    "too_many_polls": N_("somebody else uses this station's token"),
}
"""By central's own word for it; others are shown as that word."""

OUTCOMES: Mapping[str | None, str] = {
    "off": N_("switched OFF"),
    "ready": N_("switched ON"),
    "refused": N_("refused"),
    "left_in": N_("left in, OFF again"),
    "still_on": N_("could not be switched OFF"),
    "unreadable": N_("does not answer"),
    "unsure": N_("taken out too early"),
    None: N_("not known"),
}
"""How a visit ended, by `station.runtime.outcomes.Outcome`."""


def instruction(shown: IdlePage, translation: gettext.NullTranslations) -> str:
    """What to do, where that is not a page to read."""
    said = {View.CODE: CODE, View.WRONG_CODE: WRONG_CODE}.get(shown.view)
    return translation.gettext(said) if said is not None else ""


def sheet(shown: IdlePage, screen: Screen, language: str, translation: gettext.NullTranslations) -> Sheet | None:
    """The page of help, or the technician's; None: neither."""
    if shown.view is View.HELP:
        return _help(shown, screen, language, translation)
    if shown.view is not View.TECHNICIAN or shown.technician is None:
        return None
    return Sheet(
        title=_station(screen.status, translation),
        lines=tuple(_technician(shown.technician, screen.status, translation)),
        back=translation.gettext(BACK),
        more=translation.gettext(MORE),
        corner=times.clock(screen.status, translation),
        part=shown.part,
    )


def _help(shown: IdlePage, screen: Screen, language: str, translation: gettext.NullTranslations) -> Sheet:
    topic = shown.topic
    if topic is None:
        title, lines = help_texts.TOPICS, help_texts.topics(translation)
    else:
        title = help_texts.TITLES[topic]
        lines = help_texts.paragraphs(topic, shown, screen, language, translation)
    return Sheet(
        title=translation.gettext(title),
        lines=lines,
        call=support.call(screen.outside_help, language, translation),
        back=translation.gettext(BACK),
        more=translation.gettext(MORE),
        corner=_station(screen.status, translation),
        part=shown.part,
        is_list=topic is None,
    )


def _station(status: Status, translation: gettext.NullTranslations) -> str:
    return translation.gettext(STATION).format(number=status.station)


def _technician(page: Technician, status: Status, translation: gettext.NullTranslations) -> list[str]:
    works = translation.gettext("works") if page.reader_works else translation.gettext("NO CONTACT")
    clock = translation.gettext(CLOCKS[page.clock] if isinstance(page.clock, ClockSource) else CLOCK_DOUBTS[page.clock])
    age = times.age(status.mirror_age_s, translation) if status.mirror_age_s is not None else "-"
    certificate = times.date(page.certificate_expires, status.time_zone)
    facts = []
    if status.off_only is not None:
        said = translation.gettext("Only OFF (H{code}): {reason}")
        reason = translation.gettext(HINDRANCES[status.off_only])
        facts.append(said.format(code=support.HINDRANCES[status.off_only], reason=reason))
    facts.append(translation.gettext("Reader: {port}, {state}").format(port=printable(page.reader), state=works))
    if page.central and status.role is not Role.ACTIVATION_BOX:
        facts += _central(page.central, status, translation)
    facts.append(translation.gettext("Clock: {source}").format(source=clock))
    if isinstance(page.clock, ClockDoubt):
        facts.append(translation.gettext(MEND_BOX_CLOCK if status.role is Role.ACTIVATION_BOX else MEND_CLOCK))
    facts += [
        translation.gettext("Data: {age}, {count} objects").format(age=age, count=_count(page.mirror_objects)),
        translation.gettext("Outbox: {count} events").format(count=_count(page.outbox_events)),
        translation.gettext("Configuration: {version}").format(version=printable(page.config_version or "-")),
        translation.gettext("Version: {version}; certificate until {date}").format(
            version=page.version, date=certificate
        ),
    ]
    return [*facts, *(_visit(visit, status, translation) for visit in page.visits)]


def _central(address: str, status: Status, translation: gettext.NullTranslations) -> list[str]:
    """The whole address, on a line of its own, and what is wrong with it."""
    said = translation.gettext("Central: {central}").format(central=printable(address, len(address)))
    if status.online:
        return [said]
    if not status.central_fault:
        return [said, translation.gettext("NO CONTACT")]
    word = CENTRAL_REFUSES.get(status.central_fault)
    reason = translation.gettext(word) if word is not None else printable(status.central_fault)
    return [said, translation.gettext("Central refuses: {reason}").format(reason=reason)]


def _count(count: int | None) -> str:
    return "?" if count is None else str(count)


def _visit(visit: PastVisit, status: Status, translation: gettext.NullTranslations) -> str:
    """``06:58 refused: Locked key (R04)``: when, how it ended, and why where it was refused."""
    said = f"{times.time_of_day(visit.unix_s, status.time_zone)} {translation.gettext(OUTCOMES[visit.outcome])}"
    if visit.refusal is None:
        return said
    # The first sentence says what is wrong, the next what to do.
    why = translation.gettext(REFUSALS[visit.refusal][0]).partition(".")[0]
    return f"{said}: {why} (R{support.REFUSALS[visit.refusal]:02})"
