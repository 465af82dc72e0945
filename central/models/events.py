"""What stations report; the opening log, which is a view of it; and who has read that."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from central.models.keys import Key
from central.models.places import Site
from central.models.stations import Station

CLOCK_UNKNOWN = -1
OPENING_TYPES = ("lock_opened", "lock_refused", "log_gap")


class Event(models.Model):
    """An event as the station told it. Numbers are plain: a log outlives the people and keys that it names."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT)
    station = models.ForeignKey(Station, on_delete=models.PROTECT)
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
    data = models.JSONField(default=dict)

    class Meta:
        """Django's options."""

        constraints = [models.UniqueConstraint(fields=["site", "event"], name="one_event_an_id")]
        indexes = [
            models.Index(fields=["site", "received_at"], name="events_by_time"),
            models.Index(fields=["station", "instance", "seq"], name="events_by_sequence"),
            models.Index(fields=["site", "lock", "at"], condition=models.Q(lock__isnull=False), name="events_by_lock"),
            models.Index(fields=["site", "key", "at"], condition=models.Q(key__isnull=False), name="events_by_key"),
            models.Index(
                fields=["site", "holder", "at"], condition=models.Q(holder__isnull=False), name="events_by_holder"
            ),
        ]
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.type} {self.event}"


class OpeningManager(models.Manager["Opening"]):
    """Only what a key's log told."""

    def get_queryset(self) -> Any:
        """Entries of keys' logs."""
        return super().get_queryset().filter(type__in=OPENING_TYPES)


class Opening(Event):
    """The opening log: who opened which lock, and when."""

    objects: ClassVar[OpeningManager] = OpeningManager()

    class Meta:
        """Django's options."""

        proxy = True
        verbose_name = "opening"
        verbose_name_plural = "opening log"


class LogMark(models.Model):
    """How far central has a key's log; told to stations in batches (``Key.log_generation`` and ``log_seq``)."""

    key = models.OneToOneField(Key, on_delete=models.CASCADE, primary_key=True)
    generation = models.BigIntegerField()
    seq = models.BigIntegerField()
    published = models.BooleanField(default=False, db_index=True)
    published_at = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.generation}/{self.seq}"


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
        # Not who: the audit log keeps this text after the account has been forgotten.
        return f"{self.about} {self.number}"
