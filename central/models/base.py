"""What all models that stations hear of have in common."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.signals import post_save, pre_save
from django.utils.translation import gettext_lazy as _

M = TypeVar("M", bound=models.Model)

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
        raise ValidationError(_("There are characters in it that no screen can show."))


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
    MIRROR_READS: ClassVar[tuple[str, ...]] = ()
    """What `mirror_content` follows further than the model's own relations, as ``select_related`` has it."""

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


def create_all(things: Sequence[M]) -> None:
    """Save new objects of one model by few statements. Whoever watches what is saved hears of each, as of ``save()``.

    For Watched ones inside a change. Their relations to several others are set afterwards.
    """
    if not things:
        return
    model = type(things[0])
    told: dict[str, Any] = {"sender": model, "raw": False, "using": None, "update_fields": None}
    for each in things:
        pre_save.send(instance=each, **told)
    model._default_manager.bulk_create(things)  # noqa: SLF001  (Django's own name)
    for each in things:
        post_save.send(instance=each, created=True, **told)
