"""The shapes of requests and answers, from which the OpenAPI document is made."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from central.actions.events import EventIn
from central.actions.station_health import SelfReport
from central.models.base import MAX_UINT16
from station.records.base64url import decoded
from station.records.claims import MAX_UINT64

HEALTH_HEADER_LIMIT_CHARACTERS = 300
CLOCKS = frozenset({0, 1, 2})
_MEMBER = re.compile(r"(?P<name>[a-z]{1,20})=(?P<value>[A-Za-z0-9._-]{1,64})")
_NUMBER = re.compile(r"[0-9]{1,12}")


def _octets(size: int) -> BeforeValidator:
    def read(value: object) -> bytes:
        data = decoded(value) if isinstance(value, str) else b""
        if len(data) != size:
            raise ValueError("not_base64url")
        return data

    return BeforeValidator(read)


def _text(size: int, last: str) -> WithJsonSchema:
    """``last``: the characters whose left-over bits are 0."""
    pattern = f"^[A-Za-z0-9_-]{{{(size * 4 + 2) // 3 - 1}}}[{last}]$"
    return WithJsonSchema({"type": "string", "pattern": pattern, "description": f"{size} bytes, base64url, no padding"})


def _is_number(value: object) -> object:
    """What JSON calls an integer (``5.0`` is one), and no text or truth that Python would take for one."""
    if type(value) not in {int, float}:
        raise ValueError("not_a_number")
    return value


Octets16 = Annotated[bytes, _octets(16), _text(16, "AQgw")]
Octets32 = Annotated[bytes, _octets(32), _text(32, "AEIMQUYcgkosw048")]
Record = Annotated[str, Field(description="a signed record, base64url without padding")]
Octets64 = Annotated[bytes, _octets(64), _text(64, "AQgw")]
Code = Annotated[str, Field(min_length=3, max_length=40, description="<id>-<secret>")]


class Problem(BaseModel):
    """Every error's body."""

    error: str = Field(description="a code for programs")
    detail: str = Field(description="a sentence for people")


class Health(BaseModel):
    """The server answers."""

    status: Literal["ok"]


class EnrolIn(BaseModel):
    """A one-time code, the public key that the station made, and its signature over ``enrol/1:`` and the code."""

    code: Code
    public_key: Octets32
    proof: Octets64


class Argon2(BaseModel):
    """Cost of a PIN's tag."""

    time: int
    memory_kib: int
    lanes: int


class Pepper(BaseModel):
    """One version."""

    version: int
    pepper: str


class PinSettings(BaseModel):
    """What turns a PIN into its tags. Secret."""

    site_salt: str
    argon2: Argon2
    digits: int = Field(description="of PINs that are given now")
    peppers: list[Pepper] = Field(description="one or two, newest first")


class EnrolOut(BaseModel):
    """Everything that a new station needs."""

    station: int
    site: int
    role: int
    token: str
    certificate: Record
    central_keys: list[str] = Field(description="public keys of the whole chain, oldest first")
    pin: PinSettings


class TimeIn(BaseModel):
    """The number of a site, and sixteen random bytes."""

    site: Annotated[int, Field(ge=1, le=MAX_UINT16), BeforeValidator(_is_number)]
    nonce: Octets16


class TimeOut(BaseModel):
    """A ``time/1``, and the chain of central keys up to the one that has signed it."""

    record: Record
    central_keys: list[Record] = Field(description="``central/1``, oldest first")


class CertificateOut(BaseModel):
    """A ``station/1``."""

    certificate: Record
    cursor: str


class KeyProofIn(BaseModel):
    """What a key answered to the nonce that is made of the code."""

    a: Octets16
    t: Annotated[int, Field(strict=True, ge=0, le=MAX_UINT64)] | None
    s: Octets64


class ProvisionIn(BaseModel):
    """A code of ten digits; of a key that can prove itself also its public key, and the proof."""

    code: Annotated[str, Field(max_length=40, description="ten digits")]
    key_public: Octets32 | None = None
    proof: KeyProofIn | None = None


class MirrorObject(BaseModel):
    """One mirror object; further fields depend on its type."""

    model_config = ConfigDict(extra="allow")

    type: str
    id: int
    revision: int


class Removed(BaseModel):
    """An object that is no more."""

    type: str
    id: int


class ProvisionOut(BaseModel):
    """The key to hand out."""

    key: MirrorObject


class Snapshot(BaseModel):
    """All objects in the station's scope."""

    epoch: str
    cursor: str
    head: Record = Field(description="``head/1``")
    objects: list[MirrorObject] = Field(description="those of type ``central_key`` first")


class Changes(BaseModel):
    """What has changed since a cursor, and, when ``more`` is false, the head that confirms it."""

    upserts: list[MirrorObject]
    removes: list[Removed]
    cursor: str
    more: bool
    down: list[int] = Field(description="numbers of stations that have long not been heard of, at most 50")
    head: Record | None = Field(default=None, description="``head/1``")


_EVENT = {
    "anyOf": [
        EventIn.model_json_schema(ref_template="#/components/schemas/{model}"),
        {"description": "anything else is answered as rejected, so that it keeps no other event out"},
    ]
}


class EventsIn(BaseModel):
    """Up to a hundred events. Each is judged by itself: a malformed one is rejected, the others are kept."""

    events: Annotated[list[Annotated[Any, WithJsonSchema(_EVENT)]], Field(min_length=1, max_length=100)]


class EventResult(BaseModel):
    """What became of one event."""

    id: str
    status: Literal["accepted", "duplicate", "rejected"]
    reason: str | None = None


class EventsOut(BaseModel):
    """In the order of the events sent."""

    results: list[EventResult]
    cursor: str


def self_report_in(header: str) -> SelfReport:
    """What ``Station-Health`` says, a header of GET /mirror/changes; what cannot be read in it is passed over.

    ``outbox=3, mirror=42, clock=0, config=3fa2b1c4d5e6`` (see docs/reference/central-api.md). None is needed, none is
    refused.
    """
    if len(header) > HEALTH_HEADER_LIMIT_CHARACTERS:
        return SelfReport()
    members = (_MEMBER.fullmatch(part.strip()) for part in header.split(","))
    told = {member["name"]: member["value"] for member in members if member}
    clock = _number(told.get("clock"))
    return SelfReport(
        outbox=_number(told.get("outbox")),
        mirror_age_s=_number(told.get("mirror")),
        clock=clock if clock in CLOCKS else None,
        config_version=told.get("config"),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None
