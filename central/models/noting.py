"""What the calls of stations read and write, past Django's query builder.

That takes several times as long to put such a statement together as the database takes to do it.
"""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import AutoField, Field, Model

from central.postgresql import asking

M = TypeVar("M", bound=Model)


def read(model: type[M], where: str, *values: int | Collection[int]) -> list[M]:
    """The rows for which ``where`` is true, an expression with ``{}`` for each value, or for the list of several."""
    several = [[value] if isinstance(value, int) else list(value) for value in values]
    marks = [", ".join(["%s"] * len(each)) for each in several]
    asked = f"SELECT * FROM {model._meta.db_table} WHERE {where.format(*marks)}"  # noqa: S608, SLF001
    return list(model._default_manager.raw(asked, [value for each in several for value in each]))  # noqa: SLF001


def note(model: type[Model], pk: int, **facts: object) -> bool:
    """Set these fields of a row; returns whether there is one.

    Outside of a transaction nobody waits for the disk (PostgreSQL): what is lost with the power is noted anew by the
    next call.
    """
    meta: Any = model._meta  # noqa: SLF001  (Django's own name)
    values = [meta.get_field(name).get_db_prep_save(value, connection) for name, value in facts.items()]
    is_alone = connection.vendor == "postgresql" and not connection.in_atomic_block
    with asking() as cursor:
        cursor.execute(_update(model, tuple(facts), is_alone), [*values, pk])
        return bool(cursor.rowcount)


def add(rows: Sequence[Model], over: str = "") -> None:
    """Insert rows of one model. ``over``: the field that is unique; what stands under it already is overwritten.

    Their own numbers, where the database gives them, are not read.
    """
    if not rows:
        return
    fields, beginning, one, end = _insert(type(rows[0]), over)
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(f"{beginning} {', '.join([one] * len(rows))} {end}", values)


@cache
def _update(model: type[Model], names: tuple[str, ...], is_alone: bool) -> str:  # noqa: FBT001
    meta: Any = model._meta  # noqa: SLF001
    set_ = ", ".join(f"{meta.get_field(name).column} = %s" for name in names)
    # As SET LOCAL, which would be a statement and a transaction of its own. What is volatile here is always called.
    no_wait = " FROM (SELECT set_config('synchronous_commit', 'off', true)) AS set_local" if is_alone else ""
    return f"UPDATE {meta.db_table} SET {set_}{no_wait} WHERE {meta.pk.column} = %s"  # noqa: S608  (names of fields)


@cache
def _insert(model: type[Model], over: str) -> tuple[list["Field[Any, Any]"], str, str, str]:
    """The fields, and the statement's beginning, what stands in it for each row, and its end."""
    meta: Any = model._meta  # noqa: SLF001
    fields = [field for field in meta.concrete_fields if not isinstance(field, AutoField)]
    columns = [f'"{field.column}"' for field in fields]
    unique = meta.get_field(over).column if over else ""
    others = ", ".join(f"{each} = EXCLUDED.{each}" for each in columns if each != f'"{unique}"')
    return (
        fields,
        f"INSERT INTO {meta.db_table} ({', '.join(columns)}) VALUES",
        f"({', '.join(['%s'] * len(columns))})",
        f'ON CONFLICT ("{unique}") DO UPDATE SET {others}' if over else "",
    )
