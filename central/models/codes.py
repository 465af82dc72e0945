"""One-time codes: to enrol a station, and to hand out a key at a station."""

from django.db import models

from central.models.keys import Key
from central.models.stations import Station


class EnrolmentCode(models.Model):
    """Makes whoever shows it the given station. ``<ident>-<secret>``: the secret is kept as a keyed hash."""

    ident = models.CharField(max_length=8, primary_key=True)
    secret_hash = models.CharField(max_length=64)
    station = models.ForeignKey(Station, on_delete=models.CASCADE)
    created_at = models.BigIntegerField()
    expires_at = models.BigIntegerField()
    tries = models.PositiveSmallIntegerField(default=0)
    """Wrong secrets so far."""
    used_at = models.BigIntegerField(null=True, default=None)
    used_public_key = models.BinaryField(max_length=32, null=True, default=None)
    """Who used it: the same again gets the same answer."""

    def __str__(self) -> str:
        return self.ident


class ProvisionCode(models.Model):
    """Hands out the given key at a station of its site. Ten digits, kept as a keyed hash."""

    code_hash = models.CharField(max_length=64, unique=True)
    key = models.ForeignKey(Key, on_delete=models.CASCADE)
    created_at = models.BigIntegerField()
    expires_at = models.BigIntegerField()
    used_at = models.BigIntegerField(null=True, default=None)
    used_by = models.ForeignKey(Station, on_delete=models.CASCADE, null=True, default=None)
    used_key_public = models.BinaryField(max_length=32, null=True, default=None)
    """For which key: the same station again gets the same answer for the same one."""

    def __str__(self) -> str:
        return f"code for key {self.key}"
