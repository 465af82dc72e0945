"""How often somebody has tried: kept here so that every process of the server counts the same."""

from django.conf import settings
from django.db import models


class TryCount(models.Model):
    """One bucket of `central.doors.limits`. A full one has no row."""

    bucket = models.CharField(max_length=100, primary_key=True)
    """The limit's name, and whom it is about as a hash: what people type for a user name may be their password."""
    full_at_ms = models.BigIntegerField(db_index=True)
    """Unix time at which it will be full again, were it left alone: the one number of a leaky bucket."""

    def __str__(self) -> str:
        return self.bucket


class LoggedInFrom(models.Model):
    """That a user has logged in from a network: there nobody else's guessing keeps them out."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    network = models.CharField(max_length=64)
    at = models.BigIntegerField()

    class Meta:
        """Django's options."""

        constraints = [models.UniqueConstraint(fields=["user", "network"], name="logged_in_from_once")]

    def __str__(self) -> str:
        return f"{self.user} {self.network}"
