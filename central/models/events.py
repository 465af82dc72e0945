"""What stations report; the opening log, which is a view of it; and who has read that."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import connection, models

from central.clock import DAY_S
from central.models.keys import Key
from central.models.places import Site
from central.models.stations import Station
from station.records.log_entry import TEST_LOCK

CLOCK_UNKNOWN = -1
ENTRY_TYPES = ("lock_opened", "lock_refused")
OPENING_TYPES = (*ENTRY_TYPES, "log_gap")
SHOWN_AFTER_S = DAY_S
"""A contradiction is shown when it is so old: the station or box that would explain it may report later."""


class Doubt(models.TextChoices):
    """Why an entry of a key's log is not taken as it stands: whoever has the key and a cable can write some."""

    NO_ACTIVATION = "contradicts", "no activation of that key by that holder at that time"
    TOLD_TWICE = "conflicts", "different entries of one number"
    NO_TIME = "unjudged", "no time"


class EventManager(models.Manager["Event"]):
    """What stations told, as long as a site keeps it."""

    def kept(self, site: Site, now: int) -> "models.QuerySet[Any]":
        """The site's events of its last ``log_days``, by receipt: a station's or key's clock may be wrong.

        Older rows go in batches, or with their month: nobody reads them until then. And only the months asked for are
        looked into.
        """
        rows, since = self.get_queryset().filter(site=site), now - site.log_days * DAY_S
        if connection.vendor == "postgresql":
            return rows.filter(received_at__gte=since)
        # SQLite would take the index by receipt for that, and look through all that is kept: as an expression it is
        # a condition, and no way to the rows.
        return rows.alias(came_in=models.F("received_at") + 0).filter(came_in__gte=since)


class Event(models.Model):
    """An event as the station told it. Numbers are plain: a log outlives the people and keys that it names.

    On PostgreSQL the rows stand in a partition for each month of their receipt (`central.actions.event_months`), so
    what is unique without that time is kept elsewhere (`EventId`); a constraint to another table would lock that one
    whenever a month goes.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    station = models.ForeignKey(Station, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    event = models.UUIDField()
    instance = models.UUIDField()
    seq = models.BigIntegerField()
    at = models.BigIntegerField()
    """By the station's clock, or the key's; never used for ordering."""
    received_at = models.BigIntegerField()
    clock = models.SmallIntegerField(choices=[(0, "synced"), (1, "holdover"), (2, "rtc"), (CLOCK_UNKNOWN, "unknown")])
    type = models.CharField(max_length=40)
    key = models.BigIntegerField(null=True)
    holder = models.BigIntegerField(null=True)
    lock = models.BigIntegerField(null=True)
    log_seq = models.BigIntegerField(null=True)
    """Of an entry of a key's log: its number there."""
    doubt = models.CharField(max_length=12, choices=Doubt.choices, blank=True, default="")
    """Of an entry of a key's log: why it is not taken as it stands."""
    data = models.JSONField(default=dict)

    objects = EventManager()

    class Meta:
        """Django's options."""

        indexes = [
            models.Index(fields=["site", "received_at", "id"], name="events_by_receipt"),
            models.Index(fields=["site", "lock", "at"], condition=models.Q(lock__isnull=False), name="events_by_lock"),
            models.Index(fields=["site", "key", "at"], condition=models.Q(key__isnull=False), name="events_by_key"),
            models.Index(
                fields=["site", "holder", "at"], condition=models.Q(holder__isnull=False), name="events_by_holder"
            ),
            # Judged anew whenever an activation arrives: few.
            models.Index(fields=["site", "key"], condition=models.Q(doubt="contradicts"), name="events_unexplained"),
        ]
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.type} {self.event}"

    def doubt_shown(self, now: int) -> str:
        """``doubtful``, ``unjudged``, or nothing: what whoever reads the log is told."""
        match self.doubt:
            case Doubt.NO_TIME:
                return "unjudged"
            case Doubt.TOLD_TWICE:
                return "doubtful"
            case Doubt.NO_ACTIVATION if self.received_at + SHOWN_AFTER_S <= now:
                return "doubtful"
        return ""


class OpeningManager(EventManager):
    """Only what a key's log told of the site's locks."""

    def get_queryset(self) -> Any:
        """Entries of keys' logs, without those of test locks: they say nothing about anybody's home."""
        return super().get_queryset().filter(type__in=OPENING_TYPES).exclude(lock=TEST_LOCK)


class Opening(Event):
    """The opening log: who opened which lock, and when."""

    objects: ClassVar[OpeningManager] = OpeningManager()

    class Meta:
        """Django's options."""

        proxy = True
        verbose_name = "opening"
        verbose_name_plural = "opening log"


class EventId(models.Model):
    """That a site has an event of that id: it is accepted once, for as long as its row is kept."""

    pk = models.CompositePrimaryKey("site_id", "event")
    site_id = models.BigIntegerField()
    """The database's own number of the site."""
    event = models.UUIDField()

    def __str__(self) -> str:
        return str(self.event)


class DailyCount(models.Model):
    """How many events of a type there were, when their rows are no longer kept: nothing about anybody.

    ``area`` and ``unit`` are numbers, 0 for none: the lock's area; the key's unit, or where there is no key the
    station's.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, db_index=False)
    day = models.BigIntegerField()
    """Of receipt: when it began, in UTC."""
    area = models.BigIntegerField()
    unit = models.BigIntegerField()
    type = models.CharField(max_length=40)
    count = models.BigIntegerField()

    class Meta:
        """Django's options."""

        constraints = [models.UniqueConstraint(fields=["site", "day", "area", "unit", "type"], name="one_count_a_day")]

    def __str__(self) -> str:
        return f"{self.type} {self.count}"


class Handover(models.Model):
    """How a pool key last changed hands, by what stations told. With a holder it is an open receipt.

    It outlives its events: whoever has taken a key and not brought it back has it by this.
    """

    key = models.OneToOneField(Key, on_delete=models.CASCADE, primary_key=True, related_name="handover")
    is_out = models.BooleanField()
    holder = models.BigIntegerField(null=True)
    """The number of whoever has it; None when it is back."""
    at = models.BigIntegerField()
    """By the station's clock, which is central's own, signed; by the time of receipt where it did not know the time."""

    class Meta:
        """Django's options."""

        indexes = [models.Index(fields=["holder"], condition=models.Q(is_out=True), name="handovers_open")]

    def __str__(self) -> str:
        return f"{self.key} {self.at}"


class LogMark(models.Model):
    """How far central has a key's log: told to a station that asks with that key in its socket."""

    key = models.OneToOneField(Key, on_delete=models.CASCADE, primary_key=True)
    generation = models.BigIntegerField()
    seq = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.generation}/{self.seq}"


class LogGaps(models.Model):
    """Which numbers of a key's log central has heard of, and which of them nobody has brought."""

    key = models.OneToOneField(Key, on_delete=models.CASCADE, primary_key=True, related_name="log_gaps")
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    missing = models.JSONField(default=list)
    """``[first, last, since]`` of each gap between `first` and `last`, ascending; ``since``: when it was noticed."""

    def __str__(self) -> str:
        return f"{self.key} {self.first}-{self.last}"


class Activation(models.Model):
    """When a key was active for whom, as stations and boxes told: what entries of its log are held against."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, db_index=False)
    key = models.BigIntegerField()
    holder = models.BigIntegerField()
    begins = models.BigIntegerField()
    ends = models.BigIntegerField()
    received_at = models.BigIntegerField()

    class Meta:
        """Django's options."""

        indexes = [
            models.Index(fields=["site", "key", "ends"], name="activations_by_key"),
            models.Index(fields=["site", "received_at"], name="activations_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.begins}"


class LookUp(models.Model):
    """Somebody has read the log: who, when, about what, and the reason that they gave."""

    class About(models.TextChoices):
        """What was looked up."""

        LOCK = "lock"
        HOLDER = "holder"
        KEY = "key"
        ALL = "all"
        """Everything that stations have told: by a command."""

    class Cause(models.TextChoices):
        """Why, as stations show it (``lookups`` in the mirror)."""

        INCIDENT = "incident"
        CLIENT_ASKED = "client_asked"
        KEY_LOST = "key_lost"
        ACCESS_CHECK = "access_check"
        TECHNICAL = "technical"
        OTHER = "other"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True)
    """None for a command on the server's machine."""
    by = models.CharField(max_length=150, blank=True)
    """The name that they had; of a command, the machine's user."""
    at = models.BigIntegerField()
    about = models.CharField(max_length=8, choices=About.choices)
    number = models.BigIntegerField(null=True)
    since = models.BigIntegerField()
    until = models.BigIntegerField()
    cause = models.CharField(max_length=12, choices=Cause.choices, default=Cause.OTHER)
    reason = models.CharField(max_length=300)

    class Meta:
        """Django's options."""

        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        # Not who: the audit log keeps this text after the account has been forgotten.
        return f"{self.about} {self.number}"

    @property
    def who(self) -> str:
        """Who it was, for a page."""
        return str(self.user) if self.user is not None else self.by
