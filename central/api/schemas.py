"""The shapes of requests and answers, from which the OpenAPI document is made."""

from base64 import urlsafe_b64decode
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from central.models.base import MAX_UINT32, base64url

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest that JSON readers agree on."""


def _octets(size: int) -> BeforeValidator:
    def read(value: object) -> bytes:
        if not isinstance(value, str) or len(value) != (size * 4 + 2) // 3:
            raise ValueError("not_base64url")
        data = urlsafe_b64decode(value.encode("ascii") + b"=" * (-len(value) % 4))
        # One text for each value: the decoder passes over strange characters and left-over bits.
        if len(data) != size or base64url(data) != value:
            raise ValueError("not_base64url")
        return data

    return BeforeValidator(read)


def _text(size: int, last: str) -> WithJsonSchema:
    """``last``: the characters whose left-over bits are 0."""
    pattern = f"^[A-Za-z0-9_-]{{{(size * 4 + 2) // 3 - 1}}}[{last}]$"
    return WithJsonSchema({"type": "string", "pattern": pattern, "description": f"{size} bytes, base64url, no padding"})


Octets16 = Annotated[bytes, _octets(16), _text(16, "AQgw")]
Octets32 = Annotated[bytes, _octets(32), _text(32, "AEIMQUYcgkosw048")]
Record = Annotated[str, Field(description="a signed record, base64url without padding")]
Code = Annotated[str, Field(min_length=3, max_length=40, description="<id>-<secret>")]
Number = Annotated[int, Field(strict=True, ge=1, le=MAX_UINT32)]
Counter = Annotated[int, Field(strict=True, ge=0, le=MAX_SAFE_INTEGER)]


class Problem(BaseModel):
    """Every error's body."""

    error: str = Field(description="a code for programs")
    detail: str = Field(description="a sentence for people")


class Health(BaseModel):
    """The server answers."""

    status: Literal["ok"]


class EnrolIn(BaseModel):
    """A one-time code and the public key that the station made."""

    code: Code
    public_key: Octets32


class Argon2(BaseModel):
    """Cost of a PIN's tag."""

    time: int
    memory_kib: int
    lanes: int


class PinSettings(BaseModel):
    """What turns a PIN into its tag. Secret."""

    site_salt: str
    pepper: str
    argon2: Argon2


class EnrolOut(BaseModel):
    """Everything that a new station needs."""

    station: int
    site: int
    role: int
    token: str
    certificate: Record
    central_keys: list[str] = Field(description="public keys that records may be signed with")
    pin: PinSettings
    cursor: str


class TimeIn(BaseModel):
    """Sixteen random bytes."""

    nonce: Octets16


class RecordOut(BaseModel):
    """A ``time/1``."""

    record: Record
    cursor: str


class CertificateOut(BaseModel):
    """A ``station/1``."""

    certificate: Record
    cursor: str


class ProvisionIn(BaseModel):
    """A one-time code."""

    code: Code


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
    cursor: str


class Snapshot(BaseModel):
    """All objects in the station's scope."""

    epoch: str
    cursor: str
    count: int
    digest: str = Field(description="SHA-256, hexadecimal")
    objects: list[MirrorObject]


class Changes(BaseModel):
    """What has changed since a cursor. Count and digest are compared when ``more`` is false."""

    upserts: list[MirrorObject]
    removes: list[Removed]
    cursor: str
    more: bool
    count: int
    digest: str = Field(description="SHA-256, hexadecimal")


class EventIn(BaseModel):
    """An event. Unknown further fields are passed over, so that stations may be newer than central."""

    id: UUID
    instance: UUID
    seq: Counter
    at: Counter
    clock: Literal[0, 1, 2, "unknown"]
    type: Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    key: Number | None = None
    holder: Number | None = None
    lock: Number | None = None
    data: dict[str, Any] = Field(default_factory=dict)


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
