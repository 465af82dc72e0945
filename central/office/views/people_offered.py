"""Whom somebody means by a name or number, and the people that a page offers to hand a key to."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils.translation import get_language

from central.letters import means, order_of, same_name
from central.models import Holder, Key
from central.models.people import full_name
from central.office.views.answers import number_in

OFFERED_LIMIT = 500
"""Further ones are found by their number, too."""


def without_key(people: QuerySet[Holder]) -> QuerySet[Holder]:
    """Who of these may get a key of their own: permanent and long-term staff who have none."""
    have = Key.objects.filter(status__in=(Key.Status.ACTIVE, Key.Status.BLANK), holder__isnull=False)
    there = people.filter(status=Holder.Status.ACTIVE).exclude(category=Holder.Category.HOURLY)
    return there.exclude(pk__in=have.values("holder"))


def borrowers(people: QuerySet[Holder], keys: Iterable[Key]) -> QuerySet[Holder]:
    """Who of these may, as far as their category goes, borrow one of these pool keys."""
    keys, wanted = list(keys), Q(pk__in=[])
    substitute = {key.unit_id for key in keys if key.kind == Key.Kind.SUBSTITUTE}
    wanted |= Q(category=Holder.Category.HOURLY, permissions__unit__in=substitute)
    if any(key.kind == Key.Kind.EMERGENCY for key in keys):
        wanted |= ~Q(category=Holder.Category.HOURLY)
    return people.filter(wanted, status=Holder.Status.ACTIVE).distinct()


def by_name(people: QuerySet[Holder], typed: str = "", limit: int | None = None) -> list[Holder]:
    """Those of these people whom the typed words mean (nothing typed: all), in the order of the reader's language."""
    order = order_of(get_language() or "")
    # Not in SQL: SQLite does not know that å is Å.
    rows = people.order_by().values_list("pk", "number", "given_name", "family_name")
    named = [(pk, number, full_name(given, family)) for pk, number, given, family in rows]
    fitting = [each for each in named if means(typed, *each[1:])]
    fitting.sort(key=lambda each: (order(each[2]), each[1]))
    chosen = [each[0] for each in fitting[:limit]]
    found = people.in_bulk(chosen)
    return [found[pk] for pk in chosen if pk in found]


class Offered(NamedTuple):
    """Somebody to choose: no more than is shown of them."""

    number: int
    given_name: str
    family_name: str
    unit: str


def offered(people: QuerySet[Holder]) -> list[Offered]:
    """The first of them, by name."""
    order = order_of(get_language() or "")
    rows = people.order_by().values_list("number", "given_name", "family_name", "unit__name")
    every = [Offered(*row) for row in rows]
    every.sort(key=lambda each: (order(full_name(each.given_name, each.family_name)), each.number))
    return every[:OFFERED_LIMIT]


def person_in(text: str, people: QuerySet[Holder]) -> Holder | None:
    """Whom the text begins with the number of, as the offers do; or whose whole name it is, if nobody else's."""
    words = text.split()
    number = number_in(words[0]) if words else None
    if number is not None:
        return people.filter(number=number).first()
    named = [each for each in by_name(people, text) if same_name(text, full_name(each.given_name, each.family_name))]
    return named[0] if words and len(named) == 1 else None
