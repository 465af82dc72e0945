"""A station and the tokens that it shows."""

from django.db import models

from central.models.base import MAX_UINT16, Content, Mirrored, number_field
from central.models.site import Site
from central.models.unit import Unit


class Station(Mirrored):
    """A sync station, activation box or update box."""

    MIRROR_TYPE = "station"

    class Role(models.IntegerChoices):
        """As in records."""

        SYNC_STATION = 0, "sync station"
        ACTIVATION_BOX = 1, "activation box"
        UPDATE_BOX = 2, "update box"

    class Status(models.TextChoices):
        """As in the mirror: whether to send people there."""

        UP = "up"
        DOWN = "down"
        UNKNOWN = "unknown"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    number = number_field(MAX_UINT16)
    name = models.CharField(max_length=100)
    address = models.CharField(max_length=200, blank=True)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT)
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.SYNC_STATION)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.UNKNOWN)
    stolen = models.BooleanField(default=False, help_text="Its number goes on the blocklist of every key and lock")
    public_key = models.BinaryField(max_length=32, null=True, editable=False)
    certificate = models.BinaryField(null=True, editable=False)
    certificate_issued = models.BigIntegerField(null=True, editable=False)
    certificate_expires = models.BigIntegerField(null=True, editable=False)
    last_contact = models.BigIntegerField(null=True, editable=False)

    class Meta:
        """Django's options."""

        constraints = [models.UniqueConstraint(fields=["site", "number"], name="station_number")]
        ordering = ["site", "number"]

    def __str__(self) -> str:
        return self.name

    def mirror_content(self) -> Content:
        """See the API's contract."""
        return {
            "name": self.name,
            "address": self.address,
            "unit": self.unit.number,
            "status": self.status,
            "role": self.Role(self.role).name.lower(),
        }


class StationToken(models.Model):
    """What a station shows to be believed, as its SHA-256. Two may overlap while one replaces the other."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="tokens")
    created_at = models.BigIntegerField()
    expires_at = models.BigIntegerField(null=True)
    """Set when a newer one replaces it."""

    def __str__(self) -> str:
        return f"token of {self.station}"
