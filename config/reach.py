"""How far a changed key reaches into a running station: what has to begin anew so that the new value counts."""

from collections.abc import Iterator
from enum import Enum

from pydantic import BaseModel


class Reach(Enum):
    """Marks each field of the models, as ``number: Annotated[int, Reach.PROCESS]``. A test finds a field without."""

    LIVE = "live"
    """Counts from the next visit on; nothing is restarted."""
    KEY_READER = "part: key reader"
    """The serial port is let go of and opened anew."""
    CENTRAL = "part: central"
    """The connection to the central server is dropped and made anew."""
    PROCESS = "process"
    """The kiosk ends, and its supervisor starts it again."""


def keys(model: type[BaseModel]) -> Iterator[tuple[str, str, Reach]]:
    """Table, key and reach of everything in ``model``, whose fields are tables. Raises LookupError for one unmarked."""
    for table, about in model.model_fields.items():
        fields = about.annotation
        if not isinstance(fields, type) or not issubclass(fields, BaseModel):
            raise LookupError(table)  # noqa: TRY004 - it is the model that lacks something
        for key, field in fields.model_fields.items():
            marks = [mark for mark in field.metadata if isinstance(mark, Reach)]
            if len(marks) != 1:
                raise LookupError(f"{table}.{key}")
            yield table, key, marks[0]


def changed(old: BaseModel, new: BaseModel) -> dict[str, Reach]:
    """The keys, as ``policy.left_in_s``, whose effective values differ, and how far each reaches."""
    return {
        f"{table}.{key}": reach
        for table, key, reach in keys(type(new))
        if getattr(getattr(old, table), key) != getattr(getattr(new, table), key)
    }
