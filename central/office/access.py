"""What a user's memberships let them see and do at a site. Enforces `central.doors.table`.

A site where somebody has no membership does not exist for them (404), nor does an object that is not in their scope;
what none of their roles has the right to is refused (403).
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404

from central.doors.table import RIGHTS, Right, Scope
from central.models import Area, Holder, Key, Membership, Permission, Receipt, Role, Site, Station, Task, Unit
from central.models.users import UNIT_ROLES

NOTHING = Q(pk__in=[])


class SiteAccess:
    """What a user may see and do at a site."""

    def __init__(self, user: Any, site: Site) -> None:
        self.user = user
        self.site = site
        found = Membership.objects.filter(user=user, site=site).select_related("unit")
        # A unit role without a unit, whoever wrote it into the table, is good for nothing.
        self._members = [m for m in found if m.unit_id is not None or Role(m.role) not in UNIT_ROLES]
        self.has_role = bool(self._members)

    @property
    def name(self) -> str:
        """As it is written on receipts."""
        return str(self.user.get_full_name() or self.user.get_username())

    @property
    def rights(self) -> set[str]:
        """The names of all rights that they have over something here; for templates."""
        return {right.name for right in Right if self.may(right)}

    def may(self, right: Right) -> bool:
        """Whether any of their roles has the right."""
        return bool(self._granting(right))

    def require(self, right: Right) -> None:
        """Raises PermissionDenied."""
        if not self.may(right):
            raise PermissionDenied

    def units(self, right: Right) -> QuerySet[Unit]:
        """The units in which they have the right."""
        wanted = NOTHING
        for member in self._granting(right):
            wanted |= Q(pk=member.unit_id) if member.unit_id else Q(site=self.site)
        return Unit.objects.filter(wanted, site=self.site)

    def areas(self, right: Right) -> QuerySet[Area]:
        """The areas that they may give: for a unit, those that its people have already."""
        here = Area.objects.filter(site=self.site)
        if any(member.unit_id is None for member in self._granting(right)):
            return here
        units = self.units(right)
        known = Permission.objects.filter(Q(unit__in=units) | Q(unit=None, holder__unit__in=units))
        usual = Unit.objects.filter(pk__in=units)
        return here.filter(Q(permission__in=known) | Q(unit__in=usual)).distinct()

    def may_give_every_area(self, right: Right) -> bool:
        """Whether their right is for the whole site."""
        return any(member.unit_id is None for member in self._granting(right))

    def units_beside(self, holder: Holder, right: Right) -> QuerySet[Unit]:
        """The units that somebody may cover or move to: the user's own, and all that do not keep to themselves."""
        mine = Q(pk__in=self.units(right))
        return Unit.objects.filter(mine if holder.unit.closed else mine | Q(closed=False), site=self.site)

    def holders(self, right: Right) -> QuerySet[Holder]:
        """The people over whom they have the right. Those who may use a unit's pool are seen by it, besides its own."""
        wanted = NOTHING
        for member in self._granting(right):
            mine = Q(site=self.site)
            if member.unit_id:
                mine = Q(unit=member.unit_id)
                if right == Right.SEE_PEOPLE:
                    mine |= Q(pk__in=Holder.objects.filter(permissions__unit=member.unit_id).values("pk"))
            if self._scope(member, right) is Scope.HOURLY:
                mine &= Q(category=Holder.Category.HOURLY)
            wanted |= mine
        return Holder.objects.filter(wanted, site=self.site).select_related("unit", "site")

    def keys(self, right: Right) -> QuerySet[Key]:
        """The keys over which they have the right."""
        wanted = NOTHING
        for member in self._granting(right):
            mine = Q(unit=member.unit_id) if member.unit_id else Q(site=self.site)
            if self._scope(member, right) is Scope.HOURLY:
                mine &= Q(kind=Key.Kind.SUBSTITUTE)
            wanted |= mine
        return Key.objects.filter(wanted, site=self.site).select_related("unit", "holder", "site")

    def stations(self, right: Right) -> QuerySet[Station]:
        """The stations over which they have the right."""
        return Station.objects.filter(site=self.site, unit__in=self.units(right)).select_related("unit", "site")

    def tasks(self, right: Right) -> QuerySet[Task]:
        """The tasks over which they have the right: those of no unit for those who have all."""
        wanted = Q(unit__in=self.units(right))
        if any(member.unit_id is None for member in self._granting(right)):
            wanted |= Q(unit=None)
        return Task.objects.filter(wanted, site=self.site).select_related("holder", "key", "station", "unit")

    def receipts(self, right: Right) -> QuerySet[Receipt]:
        """The receipts over which they have the right: of people, and made for a unit, within its reach."""
        mine = Q(holder__in=self.holders(right))
        if right != Right.SEE_PEOPLE:
            mine &= Q(unit__in=self.units(right))
        return Receipt.objects.filter(mine, site=self.site).select_related("holder", "key", "unit", "site")

    def holder(self, number: int, right: Right) -> Holder:
        """One of `holders`. Raises Http404."""
        return get_object_or_404(self.holders(right), number=number)

    def key(self, number: int, right: Right) -> Key:
        """One of `keys`. Raises Http404."""
        return get_object_or_404(self.keys(right), number=number)

    def station(self, number: int, right: Right) -> Station:
        """One of `stations`. Raises Http404."""
        return get_object_or_404(self.stations(right), number=number)

    def rights_over(self, thing: Holder | Key | Station) -> set[str]:
        """The names of the rights that they have over this one; for templates."""
        of_type: dict[type, Callable[[Right], Any]] = {Holder: self.holders, Key: self.keys, Station: self.stations}
        found, reached = of_type[type(thing)], dict[Any, bool]()
        for right in Right:
            reach = self._reach(right)
            if reach not in reached:
                reached[reach] = self.may(right) and found(right).filter(pk=thing.pk).exists()
        return {right.name for right in Right if reached[self._reach(right)]}

    def _reach(self, right: Right) -> Any:
        """Rights that are equal in it reach the same things: the database is asked once for all of them."""
        scopes = {(m.unit_id, self._scope(m, right) is Scope.HOURLY) for m in self._granting(right)}
        # By it people are seen who may use a unit's pool.
        return frozenset(scopes), right is Right.SEE_PEOPLE

    def _granting(self, right: Right) -> list[Membership]:
        having = [member for member in self._members if self._scope(member, right) is not None]
        return [m for m in having if m.unit_id is None or self._scope(m, right) is not Scope.SITE]

    @staticmethod
    def _scope(member: Membership, right: Right) -> Scope | None:
        return RIGHTS[right].get(Role(member.role))
