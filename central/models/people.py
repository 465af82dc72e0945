"""Holders, what the office permits them, and the permits that central signs for it."""

import os

from django.core.exceptions import ValidationError
from django.db import models

from central.models.base import Content, Mirrored, Watched, check_printable, number_field
from central.models.places import Area, Lock, Site, Unit, check_windows
from station.records.base64url import encoded
from station.records.pins import PIN_TAG_BYTES


def no_pin() -> bytes:
    """A tag that no PIN has: sixteen random bytes."""
    return os.urandom(PIN_TAG_BYTES)


def may_be_identity_number(digits: str) -> bool:
    """Whether it could be a Swedish (yymmdd…) or Danish (ddmmyy…) personal identity number.

    Also one that lost its leading zero in a table. A holder's number is on keys, in their logs and at every station,
    for anybody with a cable to read.
    """
    if len(digits) < 9:
        return False
    first, month, third = (int(digits.zfill(10)[at : at + 2]) for at in (0, 2, 4))
    return 1 <= month <= 12 and (1 <= first <= 31 or 1 <= third <= 31)


def check_holder_number(number: int) -> None:
    """Refuse what could be a personal identity number."""
    if may_be_identity_number(str(number)):
        raise ValidationError(
            "This could be a personal identity number; the site's own number for the person goes here"
        )


def full_name(given_name: str, family_name: str) -> str:
    """As lists show it, and sort and find people by it; nothing of whoever has been forgotten."""
    return f"{given_name} {family_name}".strip()


class Holder(Mirrored):
    """A person. Central keeps no PIN, only its tag; a person without a PIN has a tag that no PIN leads to."""

    MIRROR_TYPE = "holder"

    class Category(models.IntegerChoices):
        """As in records."""

        PERMANENT = 0, "permanent"
        LONG_TERM = 1, "long-term substitute"
        HOURLY = 2, "hourly"

    class Status(models.TextChoices):
        """As in the mirror."""

        ACTIVE = "active"
        ENDED = "ended"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    number = number_field(extra=[check_holder_number])
    given_name = models.CharField(max_length=60, validators=[check_printable])
    family_name = models.CharField(max_length=60, validators=[check_printable])
    category = models.PositiveSmallIntegerField(choices=Category.choices)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ACTIVE)
    employment_begins = models.DateField(null=True, blank=True, help_text="The first day at work: until then, no lock")
    employment_ends = models.DateField(null=True, blank=True, help_text="The last day at work")
    language = models.CharField(max_length=5, blank=True, help_text="For the screen: sv, da, nb, fi, en")
    note = models.CharField(
        max_length=200, blank=True, validators=[check_printable], help_text="For the office; never leaves this server"
    )
    pin_tag = models.BinaryField(max_length=PIN_TAG_BYTES, default=no_pin, editable=False)
    pin_at = models.BigIntegerField(null=True, editable=False)
    """When they were given their PIN; None for somebody who has had none."""
    ended_at = models.BigIntegerField(null=True, editable=False)
    """When their employment was ended here: the site's ``forget_days`` count from then."""
    forgotten_at = models.BigIntegerField(null=True, editable=False)
    """When their name was taken out of everything; None while it is known."""
    pin_version = models.BigIntegerField(null=True, editable=False)
    """Of the pepper that their tag is under; None for somebody who has had no PIN."""

    class Meta:
        """Django's options."""

        constraints = [
            models.UniqueConstraint(fields=["site", "number"], name="holder_number"),
            # The PIN alone finds the person.
            models.UniqueConstraint(fields=["site", "pin_tag"], name="one_person_a_pin"),
        ]
        # Whose last day is over is looked for in every round of the scheduler.
        indexes = [
            models.Index(
                fields=["status", "employment_ends"],
                condition=models.Q(employment_ends__isnull=False),
                name="employments_that_end",
            )
        ]
        ordering = ["site", "number"]

    def __str__(self) -> str:
        # Whoever has been forgotten is a number.
        return full_name(self.given_name, self.family_name) or str(self.number)

    @property
    def screen_name(self) -> str:
        """First name and initial, as a screen in a corridor may show it."""
        return f"{self.given_name} {self.family_name[:1]}".strip()

    def mirror_content(self) -> Content:
        """See the API's contract."""
        content: Content = {"category": self.category, "unit": self.unit.number, "status": self.status}
        if self.status == self.Status.ACTIVE:
            # Whoever has left is no longer anybody's business at a screen; their number still refuses their key.
            content["name"] = self.screen_name
        return content | ({"language": self.language} if self.language else {})


class Permission(Watched):
    """One for a permanent or long-term holder; one for each unit for an hourly holder."""

    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="permissions")
    unit = models.ForeignKey(
        Unit, on_delete=models.PROTECT, null=True, blank=True, help_text="Hourly staff only: with this unit's keys"
    )
    every_area = models.BooleanField(default=False)
    areas = models.ManyToManyField(Area, blank=True)
    locks = models.ManyToManyField(Lock, blank=True, help_text="Besides the areas")
    windows = models.JSONField(default=list, blank=True, validators=[check_windows], help_text="Empty: always")

    class Meta:
        """Django's options."""

        constraints = [
            models.UniqueConstraint(fields=["holder", "unit"], name="one_permission_a_unit"),
            models.UniqueConstraint(
                fields=["holder"], condition=models.Q(unit=None), name="one_permission_without_a_unit"
            ),
        ]

    def __str__(self) -> str:
        # The number, not the name: the audit log keeps this text after the person has been forgotten.
        return f"{self.holder.number}" + (f" ({self.unit})" if self.unit else "")

    def clean(self) -> None:
        """Hourly staff's permissions are for a unit, the others' for none."""
        if (self.holder.category == Holder.Category.HOURLY) != (self.unit is not None):
            raise ValidationError({"unit": "A unit for hourly staff, and for them only"})


class TemporaryAccess(Watched):
    """Areas besides a permission's own, until the end of a day: "covers Lagan until Sunday"."""

    permission = models.ForeignKey(Permission, on_delete=models.CASCADE, related_name="temporary")
    areas = models.ManyToManyField(Area)
    until = models.DateField(help_text="The last day")

    def __str__(self) -> str:
        return f"{self.permission}, {self.until}"


class AccessPeriod(models.Model):
    """What a holder could open, with their own key or with a unit's, from when until when."""

    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="access_periods")
    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, null=True)
    """Whose substitute keys; None for somebody with a key of their own."""
    opens = models.JSONField()
    """``{"areas": [numbers], "locks": [numbers], "windows": […]}`` as the permit says it; areas ``[0]``: every one."""
    since = models.BigIntegerField()
    until = models.BigIntegerField(null=True, db_index=True)
    """None: still."""

    class Meta:
        """Django's options."""

        constraints = [
            models.UniqueConstraint(
                fields=["holder", "unit"], condition=models.Q(until=None), name="one_access_a_unit_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["holder"], condition=models.Q(until=None, unit=None), name="one_own_access_at_a_time"
            ),
        ]
        indexes = [models.Index(fields=["holder", "since"], name="access_of_a_day")]

    def __str__(self) -> str:
        return f"{self.holder.number}"


class Permit(Mirrored):
    """The signed record of a permission; its mirror id is the permission's."""

    MIRROR_TYPE = "permit"
    MIRROR_READS = ("permission__unit",)

    permission = models.OneToOneField(Permission, on_delete=models.CASCADE, primary_key=True)
    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="permits")
    revision = models.BigIntegerField()
    """Claim 21."""
    expires = models.BigIntegerField()
    renew_at = models.BigIntegerField(null=True, db_index=True)
    """When to sign it anew; None when employment ends before that would help."""
    record = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.permission}"

    def mirror_site_id(self) -> int:
        """The holder's."""
        return int(self.holder.site_id)

    def mirror_number(self) -> int:
        """The permission's."""
        return int(self.permission_id)

    def mirror_content(self) -> Content:
        """See the API's contract."""
        content: Content = {"holder": self.holder.number, "record": encoded(bytes(self.record))}
        unit = self.permission.unit
        return content | ({"unit": unit.number} if unit else {})
