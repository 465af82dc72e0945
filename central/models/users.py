"""Who works in the office: roles at a site, and whose password must change."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _

from central.models.places import Site, Unit


class Role(models.TextChoices):
    """As the office calls them."""

    SITE_ADMINISTRATOR = "site_administrator", _("Site administrator")
    SECTION_MANAGER = "section_manager", _("Section manager")
    COORDINATOR = "coordinator", _("Coordinator")
    STAFFING = "staffing_administrator", _("Staffing administrator")
    PROVIDER = "provider_key_manager", _("Private provider's key manager")
    ON_CALL = "on_call_manager", _("On-call manager")
    AUDITOR = "auditor", _("Auditor")
    TECHNICIAN = "technical_department", _("Technical department")
    SYSTEM = "system_administrator", _("System administrator")


UNIT_ROLES = frozenset({Role.SECTION_MANAGER, Role.COORDINATOR, Role.PROVIDER})
"""Need a unit: without one they may do nothing."""


class Membership(models.Model):
    """A user's role at a site, for one unit or for all of them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=40, choices=Role.choices)
    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, null=True, blank=True)

    class Meta:
        """Django's options."""

        constraints = [
            models.UniqueConstraint(fields=["user", "role", "site", "unit"], name="one_membership"),
            models.UniqueConstraint(
                fields=["user", "role", "site"], condition=models.Q(unit=None), name="one_membership_for_all_units"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role} {self.site}" + (f" {self.unit}" if self.unit else "")

    def clean(self) -> None:
        """The unit is the site's; some roles are for a unit only."""
        if self.unit is not None and self.unit.site_id != self.site_id:
            raise ValidationError({"unit": "A unit of this site"})
        if self.unit is None and self.role in UNIT_ROLES:
            raise ValidationError({"unit": "This role is for one unit"})


class PasswordToChange(models.Model):
    """That somebody else may know a user's password: they choose one of their own before anything else."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="password_to_change"
    )

    def __str__(self) -> str:
        return str(self.user)


class AccountOfSite(models.Model):
    """Whose account it is: the site whose administrators made it, and set its password. Without: the operator's."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="account_of"
    )
    site = models.ForeignKey(Site, on_delete=models.CASCADE)

    def __str__(self) -> str:
        return f"{self.user} {self.site}"


GROUP_PREFIX = "office: "


def _group_of(role: str) -> Group:
    """The group of a role, made when it is first needed."""
    return Group.objects.get_or_create(name=GROUP_PREFIX + role)[0]


def follow_memberships() -> None:
    """Keep each user's Django groups as their roles are, whoever saves or deletes a membership. Once for a process."""
    for signal in (post_save, post_delete):
        signal.connect(_keep_groups, sender=Membership, dispatch_uid=f"groups_of_roles_{id(signal)}")


def _keep_groups(instance: Membership, **_: Any) -> None:
    """The user is in the groups of the roles that they have at any site, and in no other role's."""
    user = instance.user
    roles = set(Membership.objects.filter(user=user).values_list("role", flat=True))
    user.groups.remove(
        *Group.objects.filter(name__in=[GROUP_PREFIX + role for role in Role.values if role not in roles])
    )
    user.groups.add(*[_group_of(role) for role in roles])
