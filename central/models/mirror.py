"""The change feed's own tables. Only ``central.feed`` writes them."""

from typing import ClassVar

from django.db import models

from central.models.places import Site
from station.records.mirror_digest import HASH_BYTES, STATE_BYTES


def empty_state() -> bytes:
    """The sum of no objects."""
    return bytes(STATE_BYTES)


class FeedCounter(models.Model):
    """The last revision given within a site. Locked until the transaction ends: revisions are committed in order.

    It also holds what all that a station of the site should have sums up to, as of that revision.
    """

    site = models.OneToOneField(Site, on_delete=models.CASCADE, primary_key=True)
    value = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(default=0)
    """The highest revision of a tombstone that was thrown away; a cursor below it needs a snapshot."""
    count = models.BigIntegerField(default=0)
    state = models.BinaryField(max_length=STATE_BYTES, default=empty_state)
    """Of `station.records.mirror_digest.MirrorSum`, as the count: brought up at the cost of each change."""

    def __str__(self) -> str:
        return str(self.value)


class MirrorRow(models.Model):
    """One mirror object as stations get it, or the tombstone of one."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    type = models.CharField(max_length=16)
    number = models.BigIntegerField()
    revision = models.BigIntegerField()
    content = models.TextField()
    """The JSON object without its revision; empty on a tombstone."""
    hash = models.BinaryField(max_length=HASH_BYTES, null=True)
    """Of `station.records.mirror_digest.object_hash`, over the whole object as it is sent; None on a tombstone."""
    removed_at = models.BigIntegerField(null=True, default=None)

    class Meta:
        """Django's options."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["site", "type", "number"], name="one_row_an_object"),
            models.UniqueConstraint(fields=["site", "revision"], name="one_object_a_revision"),
        ]
        # Those that are old enough are looked for in every round of the scheduler.
        indexes: ClassVar = [
            models.Index(fields=["removed_at"], condition=models.Q(removed_at__isnull=False), name="tombstones_by_age")
        ]

    def __str__(self) -> str:
        return f"{self.type}:{self.number}:{self.revision}"
