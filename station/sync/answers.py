"""The shapes of central's answers. What an answer *means* is checked by who asked for it.

Every text, list and number has a bound: an answer comes from a network, and may come from anybody.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from station.records.claims import CHAIN_LIMIT, MAX_UINT16, MAX_UINT32, RECORD_LIMIT_BYTES, Role
from station.records.pin_secrets import ARGON2_LANES_LIMIT, ARGON2_MEMORY_KIB, ARGON2_TIME_LIMIT, DIGITS_LIMIT
from station.records.strict_json import MAX_NUMBER

PAGE_LIMIT = 500
"""Objects in a page of changes, as asked for."""
BATCH_LIMIT = 100
"""Events in one call, by the contract."""
CURSOR_LIMIT = 200
"""Characters; central itself takes no longer ones."""


class _Answer(BaseModel):
    # Central may say more than we know; strict keeps "1" from passing for 1.
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


_Record = Annotated[str, Field(max_length=RECORD_LIMIT_BYTES * 4 // 3 + 3)]
_Cursor = Annotated[str, Field(min_length=1, max_length=CURSOR_LIMIT)]


class TimeAnswered(_Answer):
    """``POST /time``: ``record`` is a ``time/1``, ``central_keys`` are ``central/1``, oldest first."""

    record: _Record
    central_keys: list[_Record] = Field(max_length=CHAIN_LIMIT)


_Down = Annotated[list[int], Field(max_length=50)]


class Page(_Answer):
    """``GET /mirror/changes``: a page of changes and the cursor behind it."""

    upserts: list[dict[str, Any]] = Field(max_length=PAGE_LIMIT)
    removes: list[dict[str, Any]] = Field(max_length=PAGE_LIMIT)
    cursor: _Cursor
    more: bool
    head: _Record | None = None
    """Where ``more`` is false."""
    down: _Down = []
    """Stations that central has not heard from. A hint, which nobody has signed."""


class SnapshotStart(_Answer):
    """``GET /mirror/snapshot``: what stands before the objects, which are everything in this station's scope."""

    epoch: str = Field(min_length=1, max_length=100)
    cursor: _Cursor
    head: _Record


class EventResult(_Answer):
    """What became of one event."""

    id: str
    status: Literal["accepted", "duplicate", "rejected"]
    reason: str | None = None


class EventsAnswered(_Answer):
    """``POST /events``."""

    results: list[EventResult] = Field(max_length=BATCH_LIMIT)


class Argon2(_Answer):
    """Argon2id's parameters at this site."""

    time: int = Field(ge=1, le=ARGON2_TIME_LIMIT)
    memory_kib: int = Field(ge=ARGON2_MEMORY_KIB[0], le=ARGON2_MEMORY_KIB[-1])
    lanes: int = Field(ge=1, le=ARGON2_LANES_LIMIT)


class PepperAnswered(_Answer):
    """A pepper and its version."""

    version: int = Field(ge=0, le=MAX_NUMBER)
    pepper: str = Field(repr=False, max_length=100)


class PinAnswered(_Answer):
    """``GET /pin``: what turns PINs into tags. Secret."""

    site_salt: str = Field(repr=False, max_length=100)
    argon2: Argon2
    digits: int = Field(ge=1, le=DIGITS_LIMIT)
    peppers: list[PepperAnswered] = Field(min_length=1, max_length=2)
    """Newest first."""


class Enrolled(_Answer):
    """``POST /enrol``. Its ``repr`` shows nothing secret."""

    station: int = Field(ge=1, le=MAX_UINT16)
    site: int = Field(ge=0, le=MAX_UINT32)
    role: int = Field(ge=0, le=max(Role))
    token: str = Field(repr=False, max_length=600)
    certificate: _Record
    central_keys: list[Annotated[str, Field(max_length=50)]] = Field(min_length=1, max_length=CHAIN_LIMIT)
    """Raw public keys of the whole chain, oldest first."""
    pin: PinAnswered = Field(repr=False)


class CertificateAnswered(_Answer):
    """``POST /certificate``."""

    certificate: _Record


class Provisioned(_Answer):
    """``POST /provision``: the mirror object of the key to hand out."""

    key: dict[str, Any]
