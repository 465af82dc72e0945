"""Why is it red? A person or key, and a lock: yes or no, the rule that decides, and what mends it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from central.actions.pool_keys import keys_out_with, pool_keys
from central.actions.why import Answer, Rule, answer, facts_of, opening_hours, permit_for, told_of
from central.clock import unix_now
from central.doors.table import Right
from central.models import Holder, Key, Lock, Permission
from central.office.access import SiteAccess
from central.office.last_night import note_asked
from central.office.pages import SiteRequest
from central.office.refusal_words import refusal_words
from central.office.views.answers import number_in, show
from central.office.views.people_offered import by_name
from station.records.log_entry import TEST_LOCK

AHEAD_DAYS = 7
"""Permits are signed anew long before they end: for so long, what they say now is true."""
CHOICES_SHOWN = 30


@dataclass(frozen=True)
class Case:
    """A key with whom it works for, which is none for a pool key on its shelf."""

    key: Key
    holder: Holder | None

    @property
    def query(self) -> str:
        """In an address."""
        return f"key={self.key.number}" + (f"&person={self.holder.number}" if self.holder else "")


def why(request: SiteRequest) -> HttpResponse:
    """The question, and the answer for now and for a chosen time."""
    access, asked = request.access, request.GET
    words, lock_words, time_words = (asked.get(name, "").strip() for name in ("q", "lock", "at"))
    now = unix_now()
    at = _time(request, time_words, now)
    cases, lock, is_test = _cases(access, request, words, now), None, number_in(lock_words) == TEST_LOCK
    if lock_words and not is_test:
        number = number_in(lock_words)
        named = Lock.objects.filter(site=access.site).select_related("area")
        lock = named.filter(number=number).first() if number is not None else None
        if lock is None:
            messages.error(request, _("There is no lock %(words)s.") % {"words": lock_words})
    if (words or "key" in asked or "person" in asked) and not cases:
        messages.error(request, _("Nobody and no key of yours fits."))
    context: dict[str, Any] = {
        "q": words or asked.get("key", ""),
        "lock_words": lock_words,
        "time_words": time_words,
        "cases": cases,
    }
    context["person"] = number_in(asked.get("person", ""))
    if len(cases) != 1 or (lock is None and not is_test):
        return show(request, "why", **context)
    (case,) = cases
    if lock is not None:
        note_asked(access, lock, key=case.key.number)
    return show(request, "why", **context, **_answered(access, case, lock, at, now))


def _answered(access: SiteAccess, case: Case, lock: Lock | None, at: int | None, now: int) -> dict[str, Any]:
    key, holder = case.key, case.holder
    told = told_of(key, lock.number if lock is not None else TEST_LOCK, now)
    answers = [(now, answer(key, holder, lock, now, now))]
    if at is not None:
        answers.append((at, answer(key, holder, lock, at, now)))
    rules = {each.rule for _time, each in answers}
    facts = facts_of(key, holder, lock, permit_for(key, holder), now)
    over_holder = access.rights_over(holder) if holder is not None else set()
    return {
        "key": key,
        "holder": holder,
        "lock": lock,
        "answers": [(time, each, _rule_words(each)) for time, each in answers],
        "rules": {rule.value for rule in rules},
        "told": told,
        "did": list(told.last.items()),
        "refusals": [(event, _refused(event)) for event in told.refusals],
        "hours": opening_hours(facts),
        "can_key": access.rights_over(key),
        "can_holder": over_holder,
        "wants_pin": told.wrong_pins > 0 and not rules & {Rule.ENDED, Rule.RETURNED, Rule.BLOCKED},
    }


def _time(request: SiteRequest, words: str, now: int) -> int | None:
    """A time of the page's field, by the site's clocks."""
    if not words:
        return None
    site = request.access.site
    try:
        local = datetime.fromisoformat(words).replace(tzinfo=ZoneInfo(site.timezone))
        at = int(local.timestamp())
    except (ValueError, OverflowError):
        messages.error(request, _("That is no time."))
        return None
    first, last = now - int(timedelta(days=site.log_days).total_seconds()), now + AHEAD_DAYS * 86400
    if not first <= at <= last:
        messages.error(request, _("Choose a time that the log still has, or of the next seven days."))
        return None
    return at


def _cases(access: SiteAccess, request: SiteRequest, words: str, now: int) -> list[Case]:
    """The keys in scope that the question may be about: that which was chosen, or whom; else those that are meant."""
    chosen, person = (number_in(request.GET.get(name, "")) for name in ("key", "person"))
    if chosen is not None:
        return _of_keys(access, list(access.keys(Right.ASK_WHY).filter(number=chosen)), person, now)
    seen, number = access.holders(Right.ASK_WHY), number_in(words)
    if not words:
        seen = seen.filter(number=person or 0)
    keys = list(access.keys(Right.ASK_WHY).filter(number=number)) if number is not None else []
    found = _of_keys(access, keys, person, now)
    found += [case for case in _of_people(access, by_name(seen, words, CHOICES_SHOWN)) if case not in found]
    return found[:CHOICES_SHOWN]


def _of_keys(access: SiteAccess, keys: list[Key], person: int | None, now: int) -> list[Case]:
    """With whom each works for: its holder; of a pool key ``person``, else whoever has it."""
    chosen = access.holders(Right.ASK_WHY).filter(number=person).first() if person is not None else None
    held = {each.key.pk: each.holder for each in pool_keys(keys, now)}
    return [Case(key, key.holder or chosen or held.get(key.pk)) for key in keys]


def _of_people(access: SiteAccess, people: list[Holder]) -> list[Case]:
    """Each with their keys, own and lent; without any, with those of the pools that they may ask for."""
    numbers, mine = {holder.number: holder.pk for holder in people}, defaultdict(list)
    keys = Key.objects.filter(site=access.site).select_related("unit", "holder__unit", "site", "handover")
    for key in keys.filter(holder__in=people).exclude(status=Key.Status.RETURNED):
        mine[key.holder_id].append(key)
    for key in keys.filter(pk__in=keys_out_with(access.site.pk, numbers)):
        mine[numbers[key.handover.holder]].append(key)
    without = [holder for holder in people if holder.pk not in mine]
    hourly = Holder.Category.HOURLY
    units = {holder.pk: set() if holder.category == hourly else {holder.unit_id} for holder in without}
    permitted = Permission.objects.filter(holder__in=without, unit__isnull=False)
    for pk, unit in permitted.values_list("holder", "unit"):
        units[pk].add(unit)
    pools = access.keys(Right.ASK_WHY).filter(status=Key.Status.ACTIVE, unit__in=set().union(*units.values()))
    for key in pools.exclude(kind=Key.Kind.PERSONAL):
        for holder in without:
            kind = Key.Kind.SUBSTITUTE if holder.category == hourly else Key.Kind.EMERGENCY
            if key.kind == kind and key.unit_id in units[holder.pk]:
                mine[holder.pk].append(key)
    return [Case(key, holder) for holder in people for key in mine[holder.pk]]


def _refused(event: Any) -> str:
    match event.type:
        case "pin_rejected":
            return _("wrong PIN")
        case "lock_refused":
            return refusal_words(event.data.get("outcome"))
        case _other:
            return refusal_words(event.data.get("reason"))


def _rule_words(found: Answer) -> str:
    """The rule, in a sentence."""
    return {
        Rule.NOT_HANDED_OUT: _("The key has not been handed out yet."),
        Rule.BLOCKED: _("The key is blocked: its number is on the list that every lock gets."),
        Rule.RETURNED: _("The key has been handed in."),
        Rule.LOCKED: _("The key is locked after ten wrong PINs."),
        Rule.NOBODY: _("It is a pool key, and nobody is known to have it: ask for the person instead."),
        Rule.ENDED: _("The employment has ended."),
        Rule.NOT_HOURLY: _("The key is a substitute key, for hourly staff only."),
        Rule.NOT_PERMANENT: _("The key is an emergency key, for permanent and long-term staff only."),
        Rule.CLOSED_UNIT: _("The unit is closed: its keys and its people are used with each other only."),
        Rule.NO_PERMIT: _("The person has no permission with this key."),
        Rule.NOT_BEGUN: _("The first day at work is still to come: the key opens nothing before."),
        Rule.PERMIT_EXPIRED: _("The permission has run out."),
        Rule.OUTSIDE_HOURS: _("It is outside the person's hours."),
        Rule.NO_AREA: _("The person has neither the lock's area nor the lock itself."),
        Rule.STATION_BLOCKED: _("The key was switched on by a station that is blocked: no lock believes it."),
        Rule.NOT_ACTIVATED: _("Everything is permitted, but the key is not switched on: to a station, with the PIN."),
        Rule.ACCESS_CHANGED: _("What is permitted was changed after the key was switched on: to a station, again."),
        Rule.OPENS: _("Nothing is in the way."),
    }[found.rule]
