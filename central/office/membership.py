"""The Django groups of a user follow the memberships: one group a role."""

from typing import Any

from django.contrib.auth.models import Group

from central.office.models import Membership
from central.office.roles import Role

GROUP_PREFIX = "office: "


def group_of(role: str) -> Group:
    """The group of a role, made when it is first needed."""
    return Group.objects.get_or_create(name=GROUP_PREFIX + role)[0]


def keep_groups(instance: Membership, **_: Any) -> None:
    """The user is in the groups of the roles that they have at any site, and in no other role's."""
    user = instance.user
    roles = set(Membership.objects.filter(user=user).values_list("role", flat=True))
    user.groups.remove(
        *Group.objects.filter(name__in=[GROUP_PREFIX + role for role in Role.values if role not in roles])
    )
    user.groups.add(*[group_of(role) for role in roles])
