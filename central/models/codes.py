"""One-time codes: to enrol a station, and to hand out a key at a station."""

from django.db import models

from central.models.keys import Key
from central.models.stations import Station


class Code(models.Model):
    """``<ident>-<secret>``: the secret is shown once and kept as a keyed hash."""

    ident = models.CharField(max_length=8, primary_key=True)
    secret_hash = models.CharField(max_length=64)
    created_at = models.BigIntegerField()
    expires_at = models.BigIntegerField()
    tries = models.PositiveSmallIntegerField(default=0)
    """Wrong secrets so far."""
    used_at = models.BigIntegerField(null=True, default=None)

    class Meta:
        """Django's options."""

        abstract = True

    def __str__(self) -> str:
        return self.ident


class EnrolmentCode(Code):
    """Makes whoever shows it the given station."""

    station = models.ForeignKey(Station, on_delete=models.CASCADE)
    used_public_key = models.BinaryField(max_length=32, null=True, default=None)
    """Who used it: the same again gets the same answer."""


class ProvisionCode(Code):
    """Hands out the given key at a station of its site."""

    key = models.ForeignKey(Key, on_delete=models.CASCADE)
    used_by = models.ForeignKey(Station, on_delete=models.CASCADE, null=True, default=None)
