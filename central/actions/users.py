"""Accounts of the office and their roles: as a site's own administrator gives them, and as the operator does."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from central.doors.table import ROLES_BY_OPERATOR
from central.models import AccountOfSite, Membership, Site, Unit

PASSWORD_BYTES = 12


@dataclass(frozen=True)
class RoleGiven:
    """Somebody with a role. ``password`` only where it is a new one, to be shown once."""

    member: Membership
    password: str | None = field(default=None, repr=False)


def users_of(site: Site) -> QuerySet[Any]:
    """Whoever has a role there."""
    return get_user_model()._default_manager.filter(memberships__site=site).distinct().order_by("username")  # noqa: SLF001


def kept_by(site: Site) -> QuerySet[Any]:
    """The users whose accounts themselves the site's administrator may touch.

    Made here, with roles nowhere else and none that the operator gives: whoever sets a password can log in with it.
    """
    beyond = Membership.objects.filter(~Q(site=site) | Q(role__in=ROLES_BY_OPERATOR))
    here = users_of(site).filter(pk__in=AccountOfSite.objects.filter(site=site).values("user"))
    return here.filter(is_superuser=False, is_staff=False).exclude(pk__in=beyond.values("user"))


def give_role(username: str, names: tuple[str, str], role: str, site: Site, unit: Unit | None) -> RoleGiven:
    """Give a role to an account of this site, which is made if there is none of that name; by its administrator.

    The password of a new one is to be changed at its first log-in (`central.office.passwords`). Raises ValidationError:
    ``account_elsewhere`` for an account that this site did not make, ``role_by_operator``.
    """
    users = get_user_model()._default_manager  # noqa: SLF001
    if role in ROLES_BY_OPERATOR:
        raise ValidationError(role, code="role_by_operator")
    with transaction.atomic():
        user, password = users.filter(username=username).first(), None
        if user is None:
            password = secrets.token_urlsafe(PASSWORD_BYTES)
            user = get_user_model()(username=username, first_name=names[0], last_name=names[1])
            user.set_password(password)
            user.full_clean()
            user.save()
            AccountOfSite.objects.create(user=user, site=site)
        elif not _is_of(user, site):
            raise ValidationError(username, code="account_elsewhere")
        return RoleGiven(_new_member(user, role, site, unit), password)


def give_role_by_operator(user: Any, role: str, site: Site, unit: Unit | None) -> RoleGiven:
    """Give any role at any site to an account there is; by the server's operator.

    An account that a site's administrator made may be theirs in truth: with a role that they could not give it gets a
    new password, which the operator hands to its owner, and its sessions end. Raises ValidationError.
    """
    with transaction.atomic():
        member, password = _new_member(user, role, site, unit), None
        if not (user.is_superuser or user.is_staff):
            home, _ = AccountOfSite.objects.get_or_create(user=user, defaults={"site": site})
            if role in ROLES_BY_OPERATOR or home.site_id != site.pk:
                password = reset_password(user)
    return RoleGiven(member, password)


def _is_of(user: Any, site: Site) -> bool:
    return AccountOfSite.objects.filter(user=user, site=site).exists()


def _new_member(user: Any, role: str, site: Site, unit: Unit | None) -> Membership:
    member = Membership(user=user, role=role, site=site, unit=unit)
    member.full_clean()
    member.save()
    return member


def reset_password(user: Any) -> str:
    """Give a new password to somebody who has forgotten theirs, to be changed at their log-in. Their sessions end."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
    return password
