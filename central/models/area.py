"""Areas and the locks in them."""

from django.db import models

from central.models.base import Content, Mirrored, Watched, number_field
from central.models.site import Site
from central.models.unit import Unit


class Area(Mirrored):
    """A geographic set of locks."""

    MIRROR_TYPE = "area"

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    number = number_field()
    name = models.CharField(max_length=100)

    class Meta:
        """Django's options."""

        constraints = [models.UniqueConstraint(fields=["site", "number"], name="area_number")]
        ordering = ["site", "number"]

    def __str__(self) -> str:
        return self.name

    def mirror_content(self) -> Content:
        """See the API's contract."""
        return {"name": self.name}


class Lock(Watched):
    """A key box or door cylinder. Stations know it by its number alone; whose home it is stays here, or nowhere.

    Number 1 is every station's test lock and is not registered.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    number = number_field()
    area = models.ForeignKey(Area, on_delete=models.PROTECT)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, blank=True)
    note = models.CharField(max_length=200, blank=True, help_text="For the office only; never leaves this server")

    class Meta:
        """Django's options."""

        constraints = [
            models.UniqueConstraint(fields=["site", "number"], name="lock_number"),
            models.CheckConstraint(condition=models.Q(number__gt=1), name="lock_number_1_is_the_test_lock"),
        ]
        ordering = ["site", "number"]

    def __str__(self) -> str:
        return str(self.number)
