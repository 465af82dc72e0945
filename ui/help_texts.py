"""Help by problem: what an empty station says when somebody asks, in place of the printed sheet beside it.

The words are those of the routine that staff are trained with; a site puts its own in place of any topic. Each topic
has a title, as short as a line of a small screen, and sentences in the order in which things are to be tried.
"""

import gettext
from collections.abc import Iterator, Mapping

from station.display.idle import HELP_KEYS, HelpTopic
from station.display.screen import IdlePage, Screen, Status
from station.rules.facts import LookUpReason, LookUps
from ui import support, times
from ui.glyphs import printable
from ui.languages import in_language
from ui.sentences import DIGITS_LOST, HOLD_GENTLY, MISTYPED, N_, STILL_NO_CONTACT

TOPICS = N_("What do you need help with?")
TITLES: Mapping[HelpTopic, str] = {
    HelpTopic.WAKE: N_("The key does not wake"),
    HelpTopic.CONTACT: N_("No contact in the station"),
    HelpTopic.KEY_RED: N_("The key's lamp is red"),
    HelpTopic.GREEN_STUCK: N_("Green, but it does not open"),
    HelpTopic.FROZEN: N_("The key box is frozen"),
    HelpTopic.LOST: N_("Key lost or broken"),
    HelpTopic.PIN: N_("PIN wrong or forgotten"),
    HelpTopic.STATION_DEAD: N_("This station is dead"),
    HelpTopic.ALL_DEAD: N_("All stations are dead"),
    HelpTopic.WEAR: N_("Take care of the key"),
    HelpTopic.LOGGED: N_("What is logged, and who sees it"),
}

TEXTS: Mapping[HelpTopic, tuple[str, ...]] = {
    HelpTopic.WAKE: (
        N_("Press the key's button: its lamp shines."),
        N_("Still dark: the battery is empty. Change it: a new one of the same kind, turned as the old one was."),
        N_("The coordinator has batteries."),
        N_("Then put the key in here again, PIN and #: its clock must be set."),
        N_("Steady blue: the key is ON. Blinking blue: it is OFF. Blinking purple: put it in here."),
    ),
    HelpTopic.CONTACT: (
        N_("Press the key's button first, then put it in, alone, not on a heavy bunch."),
        HOLD_GENTLY,
        STILL_NO_CONTACT,
    ),
    HelpTopic.KEY_RED: (
        N_("Red for several people: call the on-call manager."),
        N_("Red for you alone: put the key in here, PIN and #, and try again at the key box."),
        N_("Still red in office hours: call the technicians."),
        N_("At other hours: ask a colleague to open. Nobody near: the nurse or the night patrol."),
    ),
    HelpTopic.GREEN_STUCK: (
        N_("Ring the client: can they open from inside?"),
        N_("Then ring the relatives."),
        N_("Rented home: ring the landlord."),
        N_("Private home, or nobody answers: ring the on-call manager, who calls the fire service."),
    ),
    HelpTopic.FROZEN: (
        N_("Tap the key box gently until the ice lets go."),
        N_("Still frozen: hold a heat pad against it. The coordinator has heat pads."),
        N_("Never use spray, water or flame."),
        N_("Hold on to the box when it opens: do not drop it."),
        N_("Still frozen after that: press 4 and do as it says there."),
        N_("So that it does not freeze again: wipe it dry and close it all the way."),
    ),
    HelpTopic.LOST: (
        N_("Lost: report it at once to your coordinator, at other hours on the number below. The key is blocked."),
        N_("Broken: hand in the broken key to your coordinator; at night, as soon as the office opens."),
        N_("Take an emergency key from the pool and put it in here, PIN and #. Your PIN is the receipt."),
        N_("It is a loan until the end of your shift. Hourly staff take a substitute key."),
        N_("The coordinator has the pool. At night the on-call manager knows where it is."),
    ),
    HelpTopic.PIN: (
        MISTYPED,
        DIGITS_LOST,
        N_("Your PIN is the same for every key that you may use."),
        N_("Forgotten: your coordinator gives you a new one, at night the on-call manager. Tell it to nobody."),
        N_("After ten wrong ones the key locks. Your coordinator unlocks it, at night the on-call manager."),
    ),
    HelpTopic.STATION_DEAD: (
        N_("Hold 0 and 2 until the station starts again."),
        N_("Still dead: use another station, and report this one on the number below."),
    ),
    HelpTopic.ALL_DEAD: (
        N_("Use your unit's activation box. The coordinator or the on-call manager knows where it is."),
        N_("Put the key in there, PIN and #."),
        N_("It takes keys that have been in a station within 10 days and have not lost power since."),
        N_("It refuses your key: ask a colleague to open, else call the on-call manager."),
    ),
    HelpTopic.WEAR: (
        N_("Do not carry the key in a heavy bunch: the weight wears out the key, locks and stations."),
        N_("Put it in straight and turn it gently."),
        N_("Keep it dry and clean."),
    ),
    HelpTopic.LOGGED: (
        N_("Logged are the key, its holder, the time and the lock. Your PIN never is."),
        N_("Only those who need it for their work may look it up, and each look-up is logged with name and reason."),
    ),
}

NUMBERS = N_("Other numbers: {numbers}")
NAME_NOBODY = frozenset({HelpTopic.CONTACT, HelpTopic.STATION_DEAD, HelpTopic.WEAR, HelpTopic.LOGGED})
"""Beside the words of all others stand the site's other numbers: this hour's alone may be none of those they name."""

KEPT_DAYS = N_("It is kept for {days} days, then deleted.")
KEPT = N_("Ask your coordinator how long it is kept.")
"""Where neither that nor a notice of the site's own is there."""
LOOKED_UP = N_("So far in {year} the log has been read {count} times.")
LOOKED_UP_LAST_YEAR = N_("In {year} it was read {count} times: {reasons}.")
NOT_LOOKED_UP = N_("In {year} nobody read it.")
REASONS: Mapping[LookUpReason, str] = {
    LookUpReason.INCIDENT: N_("incident {count}"),
    LookUpReason.CLIENT_ASKED: N_("question from a client {count}"),
    LookUpReason.KEY_LOST: N_("lost key {count}"),
    LookUpReason.ACCESS_CHECK: N_("check of who has access {count}"),
    LookUpReason.TECHNICAL: N_("technical fault {count}"),
    LookUpReason.OTHER: N_("other {count}"),
}


def topics(translation: gettext.NullTranslations) -> tuple[str, ...]:
    """The list of topics, each with its key: ``1 The key does not wake``."""
    return tuple(f"{key} {translation.gettext(TITLES[topic])}" for key, topic in HELP_KEYS.items())


def paragraphs(
    topic: HelpTopic, shown: IdlePage, screen: Screen, language: str, translation: gettext.NullTranslations
) -> tuple[str, ...]:
    """What help says on ``topic``: the site's own text where it has one in ``language``, else the program's."""
    own = dict(shown.site_texts).get(language, "")
    said = own.splitlines() if own else map(translation.gettext, TEXTS[topic])
    lines = [*said, *_facts(topic, shown, screen, language, translation, has_own=bool(own))]
    return tuple(line for line in (printable(line, len(line)) for line in lines) if line)


def _facts(
    topic: HelpTopic,
    shown: IdlePage,
    screen: Screen,
    language: str,
    translation: gettext.NullTranslations,
    *,
    has_own: bool,
) -> Iterator[str]:
    """What only the station knows: numbers, the other stations, the site's notice, how often the log was read."""
    if topic not in NAME_NOBODY and (numbers := support.numbers(screen.outside_help, language)):
        yield translation.gettext(NUMBERS).format(numbers=numbers)
    if topic is HelpTopic.STATION_DEAD:
        yield from support.stations(screen.outside_help, translation)
    if topic is HelpTopic.LOGGED:
        notice = in_language(shown.privacy, language)
        if shown.log_days is not None:
            yield translation.gettext(KEPT_DAYS).format(days=shown.log_days)
        elif not notice and not has_own:
            yield translation.gettext(KEPT)
        if notice:
            yield notice
        if shown.look_ups is not None:
            yield from _look_ups(shown.look_ups, screen.status, translation)


def _look_ups(told: LookUps, status: Status, translation: gettext.NullTranslations) -> Iterator[str]:
    """How often this year, and last year for which reasons. Central begins a year with the first look-up in it."""
    this_year = times.year(status.unix_s, status.time_zone) if status.clock_trusted else max(told.years, default=0)
    if this_year in told.years:
        count = sum(told.years[this_year].values())
        yield translation.gettext(LOOKED_UP).format(year=this_year, count=count)
    last_year = told.years.get(this_year - 1)
    if last_year is not None:
        counts = [(last_year[reason], words) for reason, words in REASONS.items() if last_year.get(reason)]
        reasons = ", ".join(translation.gettext(words).format(count=count) for count, words in counts)
        said = LOOKED_UP_LAST_YEAR if counts else NOT_LOOKED_UP
        total = sum(last_year.values())
        yield translation.gettext(said).format(year=this_year - 1, count=total, reasons=reasons)
