"""What the office keeps for itself: who works there, whose password must change, receipts, tasks, blocks, look-ups."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from central.models import Holder, Key, Site, Station, Unit
from central.office.roles import UNIT_ROLES, Role


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


class Receipt(models.Model):
    """That a key or a PIN was handed over. Numbers, never the PIN."""

    class Kind(models.TextChoices):
        """What was handed over."""

        HANDED_OUT = "handed_out"
        RETURNED = "returned"
        LENT = "lent"
        PIN = "pin"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    key = models.ForeignKey(Key, on_delete=models.PROTECT, null=True)
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT)
    made_at = models.BigIntegerField()
    made_by = models.CharField(max_length=150)
    signed_at = models.BigIntegerField(null=True, default=None)
    signed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        """Django's options."""

        indexes = [models.Index(fields=["site", "made_at"], name="receipts_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key or ''} {self.holder}"


class Task(models.Model):
    """Something that is still to be done."""

    class Kind(models.TextChoices):
        """What."""

        NEW_KEY = "new_key"
        COLLECT_KEY = "collect_key"
        RENEW_PINS = "renew_pins"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, null=True)
    key = models.ForeignKey(Key, on_delete=models.CASCADE, null=True)
    station = models.ForeignKey(Station, on_delete=models.CASCADE, null=True)
    due = models.DateField()
    opened_at = models.BigIntegerField()
    opened_by = models.CharField(max_length=150, blank=True)
    done_at = models.BigIntegerField(null=True, default=None)
    done_by = models.CharField(max_length=150, blank=True)

    class Meta:
        """Django's options."""

        ordering = ["due", "pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.holder or self.key or self.station or self.site}"


class Block(models.Model):
    """The blocking of a key: the revision that a station must have so that it knows."""

    key = models.ForeignKey(Key, on_delete=models.CASCADE, related_name="blocks")
    open = models.BooleanField(default=True)
    at = models.BigIntegerField()
    by = models.CharField(max_length=150, blank=True)
    revision = models.BigIntegerField()
    version = models.BigIntegerField()
    """Of the first blocklist with its number."""

    class Meta:
        """Django's options."""

        constraints = [
            models.UniqueConstraint(fields=["key"], condition=models.Q(open=True), name="one_open_block_a_key")
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.version}"


class BlockReached(models.Model):
    """When a station first said that it knows of a block."""

    block = models.ForeignKey(Block, on_delete=models.CASCADE, related_name="reached")
    station = models.ForeignKey(Station, on_delete=models.CASCADE)
    at = models.BigIntegerField()

    class Meta:
        """Django's options."""

        constraints = [models.UniqueConstraint(fields=["block", "station"], name="a_station_hears_once")]

    def __str__(self) -> str:
        return f"{self.block} {self.station}"


class OutOfOrder(models.Model):
    """A station that somebody has taken out of use by hand."""

    station = models.OneToOneField(Station, on_delete=models.CASCADE, primary_key=True, related_name="out_of_order")
    since = models.BigIntegerField()
    by = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return str(self.station)


class LookUp(models.Model):
    """Somebody has read the opening log: who, when, about what, and the reason that they gave."""

    class About(models.TextChoices):
        """What was looked up."""

        LOCK = "lock"
        HOLDER = "holder"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    at = models.BigIntegerField()
    about = models.CharField(max_length=8, choices=About.choices)
    number = models.BigIntegerField()
    since = models.BigIntegerField()
    until = models.BigIntegerField()
    reason = models.CharField(max_length=300)

    class Meta:
        """Django's options."""

        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.user} {self.about} {self.number}"
