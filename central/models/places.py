"""Where keys are used: sites (with their central keys), units, areas and the locks in them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from central.clock import unix_now
from central.models.base import MAX_UINT16, Content, Mirrored, Watched, number_field
from station.records.base64url import encoded


class Site(Mirrored):
    """A municipality. Its records mean nothing in another."""

    MIRROR_TYPE = "site"

    number = number_field(MAX_UINT16)
    name = models.CharField(max_length=100)
    timezone = models.CharField(max_length=64, default="Europe/Stockholm")
    support = models.JSONField(default=list, blank=True, help_text="Whom to call, and when: a list of hours and phones")
    privacy_notice = models.JSONField(default=dict, blank=True, help_text='By language: {"sv": "…"}')
    permit_days = models.PositiveSmallIntegerField(
        default=21, validators=[MinValueValidator(2), MaxValueValidator(90)], help_text="How long a permit lives"
    )
    log_days = models.PositiveSmallIntegerField(
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="How many days the log names people and keys; after that only the counts are kept",
    )
    audit_days = models.PositiveSmallIntegerField(
        default=730,
        validators=[MinValueValidator(30), MaxValueValidator(3650)],
        help_text="How many days the audit log, look-ups, settled receipts and tasks are kept; then they are deleted",
    )
    forget_days = models.PositiveSmallIntegerField(
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="How many days after the end of employment a person is forgotten: name, language, PIN and what they "
        "could open go, the number stays. Fewer than the log's: its newest entries may name nobody",
    )
    signing_key = models.PositiveSmallIntegerField(default=1, editable=False)
    """Which of the site's central keys signs (``signing-<n>.key``)."""
    public_key = models.BinaryField(max_length=32, null=True, editable=False)
    """The public half, so that a lost or foreign key file is noticed instead of replaced."""

    class Meta:
        """Django's options."""

        constraints = [models.UniqueConstraint(fields=["number"], name="site_number")]

    def __str__(self) -> str:
        return self.name

    def local_time(self, at: int) -> datetime:
        """A time, by the site's clocks."""
        return datetime.fromtimestamp(at, ZoneInfo(self.timezone))

    def today(self) -> date:
        """The date, by the site's clocks."""
        return self.local_time(unix_now()).date()

    def mirror_site_id(self) -> int:
        """Itself."""
        return int(self.pk)

    def mirror_number(self) -> int:
        """A station knows one site only."""
        return 0

    def mirror_content(self) -> Content:
        """See the API's contract."""
        return {"name": self.name, "timezone": self.timezone, "support": self.support, "privacy": self.privacy_notice}


class CentralKey(Mirrored):
    """The announcement of a site's central key ``number``, signed by the one before it.

    While it is listed, the key that it names and the one before are both valid; stations drop the older of the two when
    the newest key's announcement is no longer listed.
    """

    MIRROR_TYPE = "central_key"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    number = number_field(MAX_UINT16)
    record = models.BinaryField()
    listed = models.BooleanField(default=True)

    class Meta:
        """Django's options."""

        constraints = [models.UniqueConstraint(fields=["site", "number"], name="central_key_number")]

    def __str__(self) -> str:
        return f"{self.site} {self.number}"

    def mirror_content(self) -> Content | None:
        """See the API's contract; None once the key before is retired."""
        return {"record": encoded(bytes(self.record))} if self.listed else None


class Unit(Mirrored):
    """Those who share keys. A closed unit's keys and people are used with each other only."""

    MIRROR_TYPE = "unit"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    number = number_field(MAX_UINT16)
    name = models.CharField(max_length=100)
    closed = models.BooleanField(default=False, help_text="Its keys and its people are used with each other only")

    class Meta:
        """Django's options."""

        constraints = [models.UniqueConstraint(fields=["site", "number"], name="unit_number")]
        ordering = ["site", "number"]

    def __str__(self) -> str:
        return self.name

    def mirror_content(self) -> Content:
        """See the API's contract."""
        return {"name": self.name, "closed": self.closed}


class Area(Mirrored):
    """A geographic set of locks."""

    MIRROR_TYPE = "area"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    number = number_field()
    name = models.CharField(max_length=100)

    class Meta:
        """Django's options."""

        constraints = [models.UniqueConstraint(fields=["site", "number"], name="area_number")]
        ordering = ["site", "number"]

    def __str__(self) -> str:
        return self.name

    def mirror_content(self) -> Content:
        """See the API's contract."""
        return {"name": self.name}


class Lock(Watched):
    """A key box or door cylinder. Stations know it by its number alone; whose home it is stays here, or nowhere.

    Number 1 is every station's test lock and is not registered.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    number = number_field()
    area = models.ForeignKey(Area, on_delete=models.PROTECT)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, blank=True)
    note = models.CharField(max_length=200, blank=True, help_text="For the office only; never leaves this server")

    class Meta:
        """Django's options."""

        constraints = [
            models.UniqueConstraint(fields=["site", "number"], name="lock_number"),
            models.CheckConstraint(condition=models.Q(number__gt=1), name="lock_number_1_is_the_test_lock"),
        ]
        ordering = ["site", "number"]

    def __str__(self) -> str:
        return str(self.number)
