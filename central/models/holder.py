"""A holder: a person who uses keys."""

import os

from django.db import models

from central.models.base import Content, Mirrored, base64url, number_field
from central.models.site import Site
from central.models.unit import Unit

TAG_BYTES = 16


def no_pin() -> bytes:
    """A tag that no PIN has: sixteen random bytes."""
    return os.urandom(TAG_BYTES)


class Holder(Mirrored):
    """A person. Central keeps no PIN, only its tag; a person without a PIN has a tag that no PIN leads to."""

    MIRROR_TYPE = "holder"

    class Category(models.IntegerChoices):
        """As in records."""

        PERMANENT = 0, "permanent"
        LONG_TERM = 1, "long-term substitute"
        HOURLY = 2, "hourly"

    class Status(models.TextChoices):
        """As in the mirror."""

        ACTIVE = "active"
        ENDED = "ended"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    number = number_field()
    given_name = models.CharField(max_length=60)
    family_name = models.CharField(max_length=60)
    category = models.PositiveSmallIntegerField(choices=Category.choices)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ACTIVE)
    employment_ends = models.DateField(null=True, blank=True, help_text="The last day at work")
    language = models.CharField(max_length=5, blank=True, help_text="For the screen: sv, da, en")
    pin_tag = models.BinaryField(max_length=TAG_BYTES, default=no_pin, editable=False)
    pin_at = models.BigIntegerField(null=True, editable=False)
    """When they were given their PIN; None for somebody who has had none."""

    class Meta:
        """Django's options."""

        constraints = [
            models.UniqueConstraint(fields=["site", "number"], name="holder_number"),
            # The PIN alone finds the person.
            models.UniqueConstraint(fields=["site", "pin_tag"], name="one_person_a_pin"),
        ]
        ordering = ["site", "number"]

    def __str__(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def screen_name(self) -> str:
        """First name and initial, as a screen in a corridor may show it."""
        return f"{self.given_name} {self.family_name[:1]}".strip()

    def mirror_content(self) -> Content:
        """See the API's contract."""
        content: Content = {
            "name": self.screen_name,
            "category": self.category,
            "unit": self.unit.number,
            "status": self.status,
            "pin_tag": base64url(bytes(self.pin_tag)),
        }
        return content | ({"language": self.language} if self.language else {})
