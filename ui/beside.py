"""What an empty station says instead of its prompt: help, the technician's page, nothing at all in standby."""

import gettext
from typing import assert_never

from station.core.aside import HelpPage, View
from station.core.facts import Hindrance
from station.core.screen import Beside, PastVisit, Screen, Status, Technician
from station.records.claims import ClockSource
from ui import codes, help_pages, times
from ui.elsewhere import in_language
from ui.glyphs import printable
from ui.help_pages import Lamp
from ui.sentences import N_

CODE = N_("Code and #.")
TECHNICIAN = N_("Station {number}")
PRIVACY_LIMIT = 600

CLOCKS = {
    ClockSource.SYNCED: N_("set by the network"),
    ClockSource.HOLDOVER: N_("kept since the network was lost"),
    ClockSource.RTC: N_("battery clock"),
}


def big(beside: Beside, status: Status, speech: gettext.NullTranslations) -> str:
    """The heading."""
    match beside.view:
        case View.HELP:
            return speech.gettext(help_pages.TITLES[beside.page])
        case View.CODE:
            return speech.gettext(CODE)
        case View.TECHNICIAN:
            return speech.gettext(TECHNICIAN).format(number=status.station)
        case View.STANDBY | View.NONE:
            return ""
        case never:  # pragma: no cover
            assert_never(never)


def small(beside: Beside, speech: gettext.NullTranslations) -> str:
    """Which page of help it is."""
    if beside.view is not View.HELP:
        return ""
    footer = help_pages.LAST_FOOTER if beside.page is max(HelpPage) else help_pages.FOOTER
    return speech.gettext(footer).format(page=beside.page + 1, pages=len(HelpPage))


def lamps(beside: Beside, speech: gettext.NullTranslations) -> tuple[Lamp, ...]:
    """The lights of a page of help."""
    if beside.view is not View.HELP:
        return ()
    return tuple(Lamp(lamp.light, speech.gettext(lamp.meaning)) for lamp in help_pages.LAMPS.get(beside.page, ()))


def notes(beside: Beside, screen: Screen, language: str, speech: gettext.NullTranslations) -> list[str]:
    """The sentences of a page, or the technician's facts."""
    if beside.view is View.TECHNICIAN and beside.technician is not None:
        return _technician(beside.technician, screen.status, speech)
    if beside.view is not View.HELP:
        return []
    if beside.page is HelpPage.LOGGED:
        notice = in_language(beside.privacy, language) or speech.gettext(help_pages.PRIVACY)
        return [printable(notice, PRIVACY_LIMIT)]
    return [speech.gettext(text) for text in help_pages.TEXTS[beside.page]]


def _technician(page: Technician, status: Status, speech: gettext.NullTranslations) -> list[str]:
    works = speech.gettext("works") if page.reader_works else speech.gettext("NO CONTACT")
    clock = speech.gettext(CLOCKS[page.clock]) if page.clock is not None else speech.gettext("not trusted")
    age = times.age(status.mirror_age_s, speech) if status.mirror_age_s is not None else "-"
    certificate = times.date(page.certificate_expires, status.time_zone)
    facts = [
        speech.gettext("Reader: {port}, {state}").format(port=printable(page.reader), state=works),
        speech.gettext("Clock: {source}").format(source=clock),
        speech.gettext("Data: {age}, {count} objects").format(age=age, count=_count(page.mirror_objects)),
        speech.gettext("Outbox: {count} events").format(count=_count(page.outbox_events)),
        speech.gettext("Configuration: {version}").format(version=printable(page.config_version or "-")),
        speech.gettext("Version: {version}; certificate until {date}").format(version=page.version, date=certificate),
    ]
    if status.hindrance is not None:
        facts.insert(0, speech.gettext("Only OFF: H{code} {name}").format(**_hindrance(status.hindrance)))
    if page.visits:
        visits = " · ".join(_visit(visit, status) for visit in page.visits)
        facts.append(speech.gettext("Visits: {visits}").format(visits=visits))
    return facts


def _hindrance(hindrance: Hindrance) -> dict[str, object]:
    return {"code": codes.HINDRANCES[hindrance], "name": hindrance.value}


def _count(count: int | None) -> str:
    return "?" if count is None else str(count)


def _visit(visit: PastVisit, status: Status) -> str:
    """``06:58 refused R04``: when, how it ended as in ``station status``, and the code of a refusal."""
    time = times.time_of_day(visit.unix_s, status.time_zone)
    refusal = f" R{codes.REFUSALS[visit.refusal]:02}" if visit.refusal is not None else ""
    return f"{time} {visit.outcome or '?'}{refusal}"
