"""A unit: a home-care group, nurses, night patrol, a private provider."""

from django.db import models

from central.models.base import MAX_UINT16, Content, Mirrored, number_field
from central.models.site import Site


class Unit(Mirrored):
    """Those who share keys. A closed unit's keys and people are used with each other only."""

    MIRROR_TYPE = "unit"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    number = number_field(MAX_UINT16)
    name = models.CharField(max_length=100)
    closed = models.BooleanField(default=False, help_text="Its keys and its people are used with each other only")

    class Meta:
        """Django's options."""

        constraints = [models.UniqueConstraint(fields=["site", "number"], name="unit_number")]
        ordering = ["site", "number"]

    def __str__(self) -> str:
        return self.name

    def mirror_content(self) -> Content:
        """See the API's contract."""
        return {"name": self.name, "closed": self.closed}
