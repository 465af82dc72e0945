"""Where keys are used: sites (with their central keys), units, areas and the locks in them."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from central.clock import unix_now
from central.models.base import MAX_UINT16, Content, Mirrored, Watched, check_printable, number_field
from central.models.epoch import epoch
from central.models.site_texts import check_help, check_support, check_texts
from station.records.base64url import encoded
from station.records.central_chain import KeyStatus
from station.records.claims import MINUTES_A_DAY, WINDOWS_LIMIT


def no_look_ups(year: int | None = None) -> dict[str, Any]:
    """Of a year (this one) that nobody has read the log in yet, nor in the one before."""
    return {"year": year or datetime.fromtimestamp(unix_now(), UTC).year, "counts": {}, "last_year": {}}


def check_windows(value: object) -> None:
    """Refuse what is not a list of ``[weekdays, start minute, end minute]`` as records have them."""
    good = isinstance(value, list) and len(value) <= WINDOWS_LIMIT
    for item in value if isinstance(value, list) else []:
        good = good and isinstance(item, list) and len(item) == 3 and all(type(n) is int for n in item)
        good = good and 1 <= item[0] <= 127 and 0 <= item[1] < item[2] <= MINUTES_A_DAY
    if not good:
        raise ValidationError("A list of [weekdays 1-127 (Monday 1, Tuesday 2, Wednesday 4 …), start, end] in minutes")


def check_timezone(value: str) -> None:
    """Refuse what is no time zone: nothing of the site could be told, or done in the background, by its clocks."""
    if value not in available_timezones():
        raise ValidationError("Not a time zone: Europe/Stockholm, Europe/Oslo …")


class Site(Mirrored):
    """A municipality. Its records mean nothing in another."""

    MIRROR_TYPE = "site"

    number = number_field(MAX_UINT16)
    name = models.CharField(max_length=100, validators=[check_printable])
    timezone = models.CharField(max_length=64, default="Europe/Stockholm", validators=[check_timezone])
    support = models.JSONField(
        default=list,
        blank=True,
        validators=[check_support],
        help_text="Whom to call, and when: a list of hours and phones",
    )
    privacy_notice = models.JSONField(
        default=dict, blank=True, validators=[check_texts], help_text='By language: {"sv": "…"}'
    )
    help_texts = models.JSONField(
        default=dict,
        blank=True,
        validators=[check_help],
        help_text='In the place of the program\'s own, by language and topic: {"sv": {"lost": "…"}}',
    )
    pin_digits = models.PositiveSmallIntegerField(
        default=6, validators=[MinValueValidator(6), MaxValueValidator(10)], help_text="Of PINs given from now on"
    )
    pin_version = models.BigIntegerField(default=0, editable=False)
    """Of the pepper (`central.models.secrets`) that new PINs are tagged with; 0 before the site's secrets are made."""
    pin_version_ending = models.BigIntegerField(null=True, editable=False)
    """Of the pepper before it, while PINs are being renewed."""
    pin_version_task = models.BigIntegerField(default=0, editable=False)
    """The newest task to renew PINs (its database id) when the newest version began: later ones wait for the next."""
    look_ups = models.JSONField(default=no_look_ups, editable=False)
    """How often the log was read in that year and the one before: ``{"year": 2026, "counts": {reason: n}, "last_year":
    {reason: n}}``."""
    permit_days = models.PositiveSmallIntegerField(
        default=21, validators=[MinValueValidator(2), MaxValueValidator(90)], help_text="How long a permit lives"
    )
    log_days = models.PositiveSmallIntegerField(
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="How many days what stations and keys tell is kept; after that only daily counts are",
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
    """Which of the site's central keys (`central.models.secrets`) signs records, but for heads and the time."""
    current_key = models.PositiveSmallIntegerField(default=1, editable=False)
    """Which one signs heads and the time: the one before, until all else is signed with the new one."""
    retired_key = models.PositiveSmallIntegerField(default=0, editable=False)
    """The newest that verifies nothing any more; 0: none. Stations retire the first as soon as another is current."""
    public_key = models.BinaryField(max_length=32, null=True, editable=False)
    """The public half of the first one; those of the others are in the chain's links (`CentralKey`)."""

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
        return {
            # Beyond the contract: here it is under the head. That beside a snapshot's objects nobody signs.
            "epoch": epoch(),
            "name": self.name,
            "timezone": self.timezone,
            "pin_digits": self.pin_digits,
            "pin_versions": self.pin_versions,
            "support": self.support,
            "privacy": self.privacy_notice,
            "help": self.help_texts,
            "lookups": self.look_ups,
            # Beyond the contract.
            "log_days": self.log_days,
        }

    @property
    def pin_versions(self) -> list[int]:
        """Of the peppers that PINs are tagged with, newest first."""
        return [self.pin_version] + ([] if self.pin_version_ending is None else [self.pin_version_ending])


class CentralKey(Mirrored):
    """The nth link (``number``) of a site's chain of central keys: key n names key n + 1. Links are never removed."""

    MIRROR_TYPE = "central_key"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    number = number_field(MAX_UINT16)
    public_key = models.BinaryField(max_length=32)
    """Of the key that it names."""
    record = models.BinaryField()

    class Meta:
        """Django's options."""

        constraints = [models.UniqueConstraint(fields=["site", "number"], name="central_key_number")]

    def __str__(self) -> str:
        return f"{self.site} {self.number}"

    def mirror_content(self) -> Content:
        """See the API's contract."""
        names = self.number + 1
        if names > self.site.current_key:
            status = KeyStatus.NEXT
        else:
            status = KeyStatus.CURRENT if names > self.site.retired_key else KeyStatus.RETIRED
        return {"status": status.value, "record": encoded(bytes(self.record))}


class Unit(Mirrored):
    """Those who share keys. A closed unit's keys and people are used with each other only."""

    MIRROR_TYPE = "unit"
    IN_NO_RECORD = frozenset({"emergency_keys_wanted"})

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    number = number_field(MAX_UINT16)
    name = models.CharField(max_length=100, validators=[check_printable])
    closed = models.BooleanField(default=False, help_text="Its keys and its people are used with each other only")
    emergency_keys_wanted = models.PositiveSmallIntegerField(
        default=3, help_text="Fewer of its emergency keys than so many at hand are a warning; 0: none"
    )
    usual_every_area = models.BooleanField(default=False, help_text="Whoever is new here may open every area")
    usual_areas: "models.ManyToManyField[Area, Any]" = models.ManyToManyField(
        "Area", blank=True, help_text="What whoever is new here may open"
    )
    usual_windows = models.JSONField(
        default=list,
        blank=True,
        validators=[check_windows],
        help_text="When whoever is new here may open; empty: always",
    )

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
    name = models.CharField(max_length=100, validators=[check_printable])

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
