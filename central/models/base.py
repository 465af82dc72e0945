"""What all models that stations hear of have in common."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

Content: TypeAlias = dict[str, Any]

MAX_UINT16 = 2**16 - 1
MAX_UINT32 = 2**32 - 1


def number_field(
    limit: int = MAX_UINT32, extra: Sequence[Callable[[int], None]] = ()
) -> "models.BigIntegerField[Any, Any]":
    """A number that records carry, 1 to ``limit``. ``extra`` checks raise ValidationError."""
    return models.BigIntegerField(validators=[MinValueValidator(1), MaxValueValidator(limit), *extra])


def check_printable(value: str) -> None:
    """Refuse a text with control characters, or with marks that turn what follows around."""
    if not value.isprintable():
        raise ValidationError("There are characters in it that no screen can show")


class Watched(models.Model):
    """A model whose changes concern stations: it may only be changed inside ``central.feed.change()``."""

    IN_NO_RECORD: ClassVar[frozenset[str]] = frozenset()
    """Fields of which no signed record says anything: saving those alone makes none outdated."""

    class Meta:
        """Django's options."""

        abstract = True


class Mirrored(Watched):
    """A model that stations have a copy of: each object is one mirror object."""

    MIRROR_TYPE: ClassVar[str]

    class Meta:
        """Django's options."""

        abstract = True

    def mirror_site_id(self) -> int:
        """The database id of the site that it belongs to."""
        return int(self.site_id)  # type: ignore[attr-defined]

    def mirror_number(self) -> int:
        """The ``id`` of the mirror object."""
        return int(self.number)  # type: ignore[attr-defined]

    def mirror_content(self) -> Content | None:
        """The mirror object without type, id and revision; None while stations should not have it."""
        raise NotImplementedError
