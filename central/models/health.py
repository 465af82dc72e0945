"""How a station is doing, as far as central can tell from its calls and events. No page edits it."""

from django.db import models

from central.models.station import Station


class StationHealth(models.Model):
    """Facts noted in passing. Times are whole Unix seconds by this server's clock unless they say otherwise."""

    station = models.OneToOneField(Station, on_delete=models.CASCADE, primary_key=True, related_name="health")
    revision = models.BigIntegerField(null=True)
    """The newest revision of the change feed that the station has said it has: how far a block has reached."""
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
