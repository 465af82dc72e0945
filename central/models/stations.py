"""Stations: what they are, the tokens that they show, how they are doing."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from central.models.base import MAX_UINT16, Content, Mirrored, check_printable, number_field
from central.models.places import Site, Unit

MILLIONTHS = "In millionths of a degree"


def degrees(limit: int) -> list[MinValueValidator | MaxValueValidator]:
    """A latitude or longitude in millionths of a degree."""
    return [MinValueValidator(-limit * 10**6), MaxValueValidator(limit * 10**6)]


class Station(Mirrored):
    """A sync station, activation box or update box."""

    MIRROR_TYPE = "station"

    class Role(models.IntegerChoices):
        """As in records."""

        SYNC_STATION = 0, "sync station"
        ACTIVATION_BOX = 1, "activation box"
        UPDATE_BOX = 2, "update box"

    class Status(models.TextChoices):
        """Whether to send people there, by what central has heard."""

        UP = "up"
        DOWN = "down"
        UNKNOWN = "unknown"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    number = number_field(MAX_UINT16)
    name = models.CharField(max_length=100, validators=[check_printable])
    address = models.CharField(max_length=200, blank=True, validators=[check_printable])
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT)
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.SYNC_STATION)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.UNKNOWN)
    latitude = models.IntegerField(null=True, blank=True, validators=degrees(90), help_text=MILLIONTHS)
    longitude = models.IntegerField(null=True, blank=True, validators=degrees(180), help_text=MILLIONTHS)
    stolen = models.BooleanField(default=False, help_text="Its number goes on the blocklist of every key and lock")
    public_key = models.BinaryField(max_length=32, null=True, editable=False)
    certificate = models.BinaryField(null=True, editable=False)
    certificate_issued = models.BigIntegerField(null=True, editable=False)
    certificate_expires = models.BigIntegerField(null=True, editable=False)
    last_contact = models.BigIntegerField(null=True, editable=False)

    class Meta:
        """Django's options."""

        constraints = [models.UniqueConstraint(fields=["site", "number"], name="station_number")]
        # Told with every answer to a poll.
        indexes = [
            models.Index(fields=["site", "number"], condition=models.Q(status="down"), name="stations_down"),
            models.Index(fields=["site", "number"], condition=models.Q(stolen=True), name="stations_stolen"),
        ]
        ordering = ["site", "number"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """A place on the map has both numbers."""
        if (self.latitude is None) != (self.longitude is None):
            raise ValidationError({"longitude": "Latitude and longitude, or neither"})

    def mirror_content(self) -> Content:
        """See the API's contract. Whether it is up is no part of it: that would be news for every station each time."""
        content: Content = {"name": self.name, "address": self.address, "unit": self.unit.number, "role": self.role}
        if self.latitude is not None and self.longitude is not None:
            content |= {"lat": self.latitude, "lon": self.longitude}
        return content


class StationToken(models.Model):
    """What a station shows to be believed, as its SHA-256. Two may overlap while one replaces the other."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="tokens")
    created_at = models.BigIntegerField()
    expires_at = models.BigIntegerField(null=True)
    """Set when a newer one replaces it."""
    used_at = models.BigIntegerField(null=True, default=None)
    """When it was first shown: from then on the station has it, and nobody is told it again."""

    def __str__(self) -> str:
        return f"token of {self.station}"


class StationHealth(models.Model):
    """Facts noted in passing. Times are whole Unix seconds by this server's clock unless they say otherwise."""

    station = models.OneToOneField(Station, on_delete=models.CASCADE, primary_key=True, related_name="health")
    revision = models.BigIntegerField(null=True)
    """The newest revision of the change feed that the station has said it has."""
    mirror_at = models.BigIntegerField(null=True)
    """When it last asked for changes or a snapshot: the age of its mirror."""
    events_at = models.BigIntegerField(null=True)
    """When events last came in."""
    events_behind_s = models.BigIntegerField(null=True)
    """How old the oldest event of the newest batch was, by the station's clock: what its outbox had waiting."""
    outbox = models.BigIntegerField(null=True)
    """How many events waited there when it last asked for changes; None for a station that does not tell."""
    mirror_confirmed_at = models.BigIntegerField(null=True)
    """When its mirror was last right by its own word: one that asks but cannot keep the answers is older than
    ``mirror_at``."""
    clock = models.SmallIntegerField(null=True)
    """Of its newest event or question: 0 synced, 1 holdover, 2 rtc, -1 unknown."""
    config_version = models.CharField(max_length=64, blank=True)
    config_at = models.BigIntegerField(null=True)
    config_rejected_at = models.BigIntegerField(null=True)
    """When a pushed file was refused, if none has been applied since."""
    restarted_at = models.BigIntegerField(null=True)
    """By the station's clock."""
    restart_reason = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return f"health of {self.station}"


class OutOfOrder(models.Model):
    """A station that somebody has taken out of use by hand."""

    station = models.OneToOneField(Station, on_delete=models.CASCADE, primary_key=True, related_name="out_of_order")
    since = models.BigIntegerField()
    by = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=200, blank=True, validators=[check_printable])

    def __str__(self) -> str:
        return str(self.station)
