"""Who shows a token: one statement for the station, its site, its unit and how it is, put together once.

Every call of every station begins with it. The same asked of Django's query builder takes ten times as long, nearly all
of that for writing the statement anew.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS
from django.db.models import BooleanField, Field, JSONField, Model

from central.models import Site, Station, StationHealth, StationToken, Unit
from central.postgresql import asking


class Caller(NamedTuple):
    """Whose token it is."""

    station: Station
    """With its ``site``, ``unit`` and ``health``; the site's texts are read when somebody asks for them."""
    is_used: bool
    """Whether the token has been shown before."""


def caller_of(fingerprint: str, now: int) -> Caller | None:
    """The station that the token with that SHA-256 belongs to; None for no token, or one that is over."""
    with asking() as cursor:
        cursor.execute(_statement(), [fingerprint, now])
        found = cursor.fetchone()
    if found is None:
        return None
    used_at, *rest = found
    left = iter(rest)
    station, site, unit, health = (_instance(model, left) for model in _MODELS)
    assert isinstance(station, Station)
    station._state.fields_cache |= {"site": site, "unit": unit, "health": health}  # noqa: SLF001  (Django's own names)
    return Caller(station, used_at is not None)


_MODELS: tuple[type[Model], ...] = (Station, Site, Unit, StationHealth)


@cache
def _statement() -> str:
    columns = ", ".join(
        f"{model._meta.db_table}.{field.column}"  # noqa: SLF001  (Django's own name)
        for model in _MODELS
        for field in _fields(model)
    )
    token = StationToken._meta.db_table  # noqa: SLF001
    station, site, unit, health = (model._meta.db_table for model in _MODELS)  # noqa: SLF001
    return f"""
        SELECT {token}.used_at, {columns} FROM {token}
        JOIN {station} ON {station}.id = {token}.station_id
        JOIN {site} ON {site}.id = {station}.site_id
        JOIN {unit} ON {unit}.id = {station}.unit_id
        LEFT JOIN {health} ON {health}.station_id = {station}.id
        WHERE {token}.sha256 = %s AND ({token}.expires_at IS NULL OR {token}.expires_at > %s)
    """  # noqa: S608  (names of tables and columns)


@cache
def _fields(model: type[Model]) -> tuple["Field[Any, Any]", ...]:
    # Texts of the site's own are long, and no call needs them; where one does, Django reads them then.
    return tuple(field for field in model._meta.concrete_fields if not isinstance(field, JSONField))  # noqa: SLF001


def _instance(model: type[Model], values: Iterator[Any]) -> Model | None:
    """The next values as an instance of the model; None where there is none (an outer join)."""
    fields = _fields(model)
    mine = [next(values) for _ in fields]
    if mine[[field.primary_key for field in fields].index(True)] is None:
        return None
    # SQLite has no truth values.
    said = [
        bool(value) if isinstance(field, BooleanField) else value for field, value in zip(fields, mine, strict=True)
    ]
    return model.from_db(DEFAULT_DB_ALIAS, [field.attname for field in fields], said)
