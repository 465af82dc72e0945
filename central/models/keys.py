"""Electronic keys, and the blocking of those that are lost."""

from django.core.exceptions import ValidationError
from django.db import models

from central.models.base import Content, Mirrored, number_field
from central.models.people import Holder
from central.models.places import Site, Unit
from central.models.stations import Station
from station.records.base64url import encoded


class Key(Mirrored):
    """A key. Until it is handed out (a record is signed and written to it) stations know nothing of it."""

    MIRROR_TYPE = "key"
    IN_NO_RECORD = frozenset(
        {"locked_at", "unlocked_at", "wrong_pins", "locked_by", "locked_noted_at", "battery_replaced"}
    )

    class Kind(models.IntegerChoices):
        """As in records."""

        PERSONAL = 0, "personal"
        SUBSTITUTE = 1, "substitute pool"
        EMERGENCY = 2, "emergency pool"

    class Status(models.TextChoices):
        """As in the mirror, and before it."""

        BLANK = "blank", "not handed out"
        ACTIVE = "active"
        BLOCKED = "blocked"
        RETURNED = "returned"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    number = number_field()
    kind = models.PositiveSmallIntegerField(choices=Kind.choices)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT)
    holder = models.ForeignKey(Holder, on_delete=models.PROTECT, null=True, blank=True, help_text="Personal keys only")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.BLANK)
    locked_at = models.BigIntegerField(null=True, blank=True, editable=False)
    unlocked_at = models.BigIntegerField(null=True, blank=True, editable=False)
    wrong_pins = models.JSONField(default=list, editable=False)
    """When the wrong PINs were, of all stations, that still count towards locking it; in the order of their arrival."""
    broken = models.BooleanField(default=False, editable=False)
    """Why it is `Status.RETURNED`: it does not work, and is handed out to nobody before it is mended."""
    battery_replaced = models.DateField(null=True, blank=True)
    activated_at = models.BigIntegerField(null=True, editable=False)
    """When a station last said that it had activated it."""
    locked_by = models.ForeignKey(Station, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")
    """Whose events locked it last, at `locked_noted_at`."""
    locked_noted_at = models.BigIntegerField(null=True, editable=False)
    record = models.BinaryField(null=True, editable=False)
    key_public = models.BinaryField(max_length=32, null=True, editable=False)
    """The key's own public key (claim 36 of its records), of a key that has proved at its hand-out that it has one."""
    record_carried = models.BigIntegerField(null=True, editable=False)
    """When the record was signed that a station has last seen on the key (its claim 6)."""

    class Meta:
        """Django's options."""

        constraints = [
            models.UniqueConstraint(fields=["site", "number"], name="key_number"),
            # Else a key would pass for another one at a lock.
            models.UniqueConstraint(fields=["site", "key_public"], name="one_key_a_public_key"),
            models.CheckConstraint(
                condition=models.Q(kind=0, holder__isnull=False) | models.Q(kind__in=[1, 2], holder__isnull=True),
                name="personal_keys_have_a_holder",
            ),
        ]
        # What a blocklist says is looked up with every change of a status, the others with the office's first page.
        indexes = [
            models.Index(fields=["site", "number"], condition=models.Q(status="blocked"), name="keys_blocked"),
            models.Index(fields=["site", "number"], condition=models.Q(kind__in=[1, 2]), name="keys_of_pools"),
            models.Index(fields=["site", "number"], condition=models.Q(locked_at__isnull=False), name="keys_locked"),
        ]
        ordering = ["site", "number"]

    def __str__(self) -> str:
        return str(self.number)

    @property
    def is_locked(self) -> bool:
        """Ten wrong PINs, and not unlocked since."""
        return self.locked_at is not None and self.locked_at > (self.unlocked_at or 0)

    @property
    def state(self) -> str:
        """Its status, for people: they call a returned key that does not work ``broken``."""
        return "broken" if self.broken and self.status == self.Status.RETURNED else str(self.status)

    def clean(self) -> None:
        """A personal key names its holder, a pool key none."""
        if (self.kind == self.Kind.PERSONAL) != (self.holder is not None):
            raise ValidationError({"holder": "A holder for a personal key, and for those only"})

    def mirror_content(self) -> Content | None:
        """See the API's contract; None before hand-out."""
        if self.record is None or self.status == self.Status.BLANK:
            return None
        content: Content = {"kind": self.kind, "unit": self.unit.number, "status": self.status}
        if self.holder is not None:
            content["holder"] = self.holder.number
        if self.locked_at is not None:
            content["locked_at"] = self.locked_at
        if self.unlocked_at is not None:
            content["unlocked_at"] = self.unlocked_at
        block = self.blocks.filter(open=True).first() if self.status == self.Status.BLOCKED else None
        if block is not None:
            # Beyond the contract: whoever stands there with the key wants to know since when.
            content["blocked_at"] = block.at
        return content | {"record": encoded(bytes(self.record))}


class Blocklist(Mirrored):
    """The signed list of blocked keys and stations."""

    MIRROR_TYPE = "blocklist"

    site = models.OneToOneField(Site, on_delete=models.CASCADE, primary_key=True)
    version = models.BigIntegerField()
    renew_at = models.BigIntegerField(db_index=True)
    record = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.site} {self.version}"

    def mirror_number(self) -> int:
        """A station knows one only."""
        return 0

    def mirror_content(self) -> Content:
        """See the API's contract."""
        return {"version": self.version, "record": encoded(bytes(self.record))}


class Block(models.Model):
    """The blocking of a key: the version of the blocklist that a station must have so that it knows."""

    key = models.ForeignKey(Key, on_delete=models.CASCADE, related_name="blocks")
    open = models.BooleanField(default=True)
    at = models.BigIntegerField()
    by = models.CharField(max_length=150, blank=True)
    version = models.BigIntegerField()
    """Of the first blocklist with its number (claim 40)."""

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
