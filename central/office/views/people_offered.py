"""People to hand a key to: those that a page offers, and whom somebody has typed."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from central.models import Holder, Key
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


def offered(people: QuerySet[Holder]) -> list[Holder]:
    """The first of them, by name."""
    return list(people.order_by("given_name", "family_name", "number")[:OFFERED_LIMIT])


def person_in(text: str, people: QuerySet[Holder]) -> Holder | None:
    """Whom the text begins with the number of, as the offers do; or whose whole name it is, if nobody else's."""
    words = text.split()
    number = number_in(words[0]) if words else None
    if number is not None:
        return people.filter(number=number).first()
    name = " ".join(words).casefold()
    # Not in SQL: SQLite does not know that å is Å.
    names = people.values_list("pk", "given_name", "family_name")
    fitting = [pk for pk, given, family in names if f"{given} {family}".casefold() == name]
    return people.get(pk=fitting[0]) if len(fitting) == 1 else None
