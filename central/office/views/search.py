"""The one search: people, keys, locks and stations by name or number, of what the user may see."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language

from central.doors.table import Right
from central.letters import means, order_of
from central.models import Holder, Lock
from central.models.people import full_name
from central.office.access import SiteAccess
from central.office.pages import SiteRequest
from central.office.views.answers import number_in, show

SHOWN = 50
"""Of a kind: whoever finds more types another letter."""


@dataclass(frozen=True)
class Found:
    """Something that fits, and its page."""

    text: str
    address: str
    more: str = ""
    has_left: bool = False


def search(request: SiteRequest) -> HttpResponse:
    """What fits. One thing alone is opened; nothing lists nothing."""
    access, words = request.access, request.GET.get("q", "").strip()
    kinds = {"people": _people, "keys": _keys, "locks": _locks, "stations": _stations}
    found = {kind: look(access, words) for kind, look in kinds.items()} if words else {}
    every = [each for one in found.values() for each in one]
    if len(every) == 1:
        answer: HttpResponse = redirect(every[0].address)
        return answer
    shown = [(kind, one[:SHOWN], len(one) > SHOWN) for kind, one in found.items() if one]
    return show(request, "search", looked_for=words, found=shown)


def _people(access: SiteAccess, words: str) -> list[Found]:
    rows = access.holders(Right.SEE_PEOPLE).values_list("number", "given_name", "family_name", "unit__name", "status")
    order = order_of(get_language() or "")
    named = [(number, full_name(given, family), unit, status) for number, given, family, unit, status in rows]
    fitting = [each for each in named if means(words, *each[:2])]
    # Those who work here first.
    fitting.sort(key=lambda each: (each[3], order(each[1]), each[0]))
    return [
        Found(
            name or str(number),
            _at(access, "person", number),
            f"{number} · {unit}",
            has_left=status == Holder.Status.ENDED,
        )
        for number, name, unit, status in fitting[: SHOWN + 1]
    ]


def _keys(access: SiteAccess, words: str) -> list[Found]:
    number = number_in(words)
    found = access.keys(Right.SEE_KEYS).filter(number=number) if number is not None else []
    return [Found(str(key), _at(access, "key", key.number), str(key.holder or key.unit)) for key in found]


def _locks(access: SiteAccess, words: str) -> list[Found]:
    number = number_in(words)
    if number is None or not access.may(Right.WHO_MAY_OPEN):
        return []
    found = Lock.objects.filter(site=access.site, number=number).select_related("area")
    return [Found(str(lock), f"{_at(access, 'lock')}?lock={lock.number}", str(lock.area)) for lock in found]


def _stations(access: SiteAccess, words: str) -> list[Found]:
    order = order_of(get_language() or "")
    fitting = [
        station
        for station in access.stations(Right.SEE_STATIONS)
        if means(words, station.number, f"{station.name} {station.address}")
    ]
    fitting.sort(key=lambda station: order(station.name))
    return [Found(str(each), _at(access, "station", each.number), f"{each.number} · {each.unit}") for each in fitting]


def _at(access: SiteAccess, name: str, number: Any = None) -> str:
    where = {"site": access.site.number} | ({} if number is None else {"number": number})
    return reverse(f"office:{name}", kwargs=where)
