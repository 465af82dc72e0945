"""What is still to be done, and the receipts of what was handed over."""

from django.db import models

from central.models.keys import Key
from central.models.people import Holder
from central.models.places import Site, Unit
from central.models.stations import Station


class Task(models.Model):
    """Something that is still to be done."""

    class Kind(models.TextChoices):
        """What."""

        NEW_KEY = "new_key"
        COLLECT_KEY = "collect_key"
        RENEW_PINS = "renew_pins"
        REFUSED_PIN = "refused_pin"
        """A right PIN that may not use that pool key: the screen does not say why, so a coordinator hears it."""
        WENT_BACK = "went_back"
        """A restored server opens again what a station knew as shut: it stays refused there until somebody decides."""
        MANY_LOCKED = "many_locked"
        """A station's events would lock more keys than central believes."""
        STATION_TOLD = "station_told"
        """A station told what it cannot mend: somebody has to look after it, or after a key."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, null=True)
    key = models.ForeignKey(Key, on_delete=models.CASCADE, null=True)
    station = models.ForeignKey(Station, on_delete=models.CASCADE, null=True)
    detail = models.CharField(max_length=20, blank=True)
    """Why the PIN was refused; what was shut: blocked, locked, returned, listed, ended, closed; what a station told."""
    due = models.DateField()
    opened_at = models.BigIntegerField()
    opened_by = models.CharField(max_length=150, blank=True)
    paused_at = models.BigIntegerField(null=True, default=None)
    """Of a renewal of all PINs that waits: since when."""
    done_at = models.BigIntegerField(null=True, default=None)
    done_by = models.CharField(max_length=150, blank=True)

    class Meta:
        """Django's options."""

        # Which sites renew their PINs is looked for in every round of the scheduler.
        indexes = [
            models.Index(fields=["kind"], condition=models.Q(done_at__isnull=True), name="open_tasks"),
            models.Index(fields=["site", "due"], condition=models.Q(done_at__isnull=True), name="open_tasks_by_due"),
        ]
        ordering = ["due", "pk"]

    def __str__(self) -> str:
        # The holder's number, not the name: the audit log keeps this text after the person has been forgotten.
        return f"{self.kind} {self.holder.number if self.holder else self.key or self.station or self.site}"


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

        indexes = [
            models.Index(fields=["site", "made_at"], name="receipts_by_time"),
            models.Index(fields=["site", "made_at"], condition=models.Q(signed_at=None), name="receipts_unsigned"),
        ]

    def __str__(self) -> str:
        # The number, as above.
        return f"{self.kind} {self.key or ''} {self.holder.number}"
