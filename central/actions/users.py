"""Accounts of the office and their roles at a site, as the site's own administrator gives them."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q, QuerySet

from central.models import Membership, Site, Unit

PASSWORD_BYTES = 12


@dataclass(frozen=True)
class RoleGiven:
    """Somebody with a role. ``password`` only for an account that is new, to be shown once."""

    member: Membership
    password: str | None = field(default=None, repr=False)


def users_of(site: Site) -> QuerySet[Any]:
    """Whoever has a role there."""
    return get_user_model()._default_manager.filter(memberships__site=site).distinct().order_by("username")  # noqa: SLF001


def belongs_only_to(user: Any, site: Site) -> bool:
    """Whether the site's administrator may touch the account itself: it is of no other site, nor the operator's."""
    elsewhere = Membership.objects.filter(Q(user=user) & ~Q(site=site)).exists()
    return not (user.is_superuser or user.is_staff or elsewhere)


def give_role(username: str, names: tuple[str, str], role: str, site: Site, unit: Unit | None) -> RoleGiven:
    """Give a role to an account, which is made if there is none of that name.

    An account that is there keeps its password and names: it may be another site's as well. The password of a new one
    is to be changed at its first log-in (`central.office.passwords`). Raises ValidationError.
    """
    users = get_user_model()._default_manager  # noqa: SLF001
    with transaction.atomic():
        user, password = users.filter(username=username).first(), None
        if user is None:
            password = secrets.token_urlsafe(PASSWORD_BYTES)
            user = get_user_model()(username=username, first_name=names[0], last_name=names[1])
            user.set_password(password)
            user.full_clean()
            user.save()
        member = Membership(user=user, role=role, site=site, unit=unit)
        member.full_clean()
        member.save()
    return RoleGiven(member, password)


def reset_password(user: Any) -> str:
    """Give a new password to somebody who has forgotten theirs, to be changed at their log-in. Their sessions end."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
    return password
