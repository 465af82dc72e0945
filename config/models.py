"""The tables of ``station.toml``, their defaults and their bounds.

Every field has a description (for ``station config schema``); a bound that an administrator may wonder at has a
``reason``, which the error about it gives as well. Every field is marked with how far a change of it reaches
(`Reach`). Nothing here is secret: see ``config.credentials``.
"""

import ipaddress
import re
import zoneinfo
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationInfo

from station.rules.facts import Policy

Profile: TypeAlias = Literal["sync-station", "activation-box", "update-box"]
Language: TypeAlias = Literal["sv", "en", "da"]

NAME_LIMIT_CHARACTERS = 60
URL_LIMIT_CHARACTERS = 500
PATH_LIMIT_CHARACTERS = 1000
SEARCH_SCHEME = "hwgrep://"
"""A serial port by what its adapter says of itself: a regular expression follows."""


class Reach(Enum):
    """How far a changed value reaches into a running station: what has to begin anew so that it counts.

    Marks each field, as ``number: Annotated[int, Reach.PROCESS]``. A test finds a field without.
    """

    LIVE = "live"
    """Counts from the next visit on; nothing is restarted."""
    KEY_READER = "part: key reader"
    """The serial port is let go of and opened anew."""
    CENTRAL = "part: central"
    """The connection to the central server is dropped and made anew."""
    PROCESS = "process"
    """The kiosk ends, and its supervisor starts it again."""


def _because(reason: str, expected: str | None = None) -> dict[str, Any]:
    """What an error adds to, or says instead of, the expectation that follows from type and bounds."""
    return {"reason": reason} if expected is None else {"expected": expected, "reason": reason}


def _expected(expected: str) -> dict[str, Any]:
    return {"expected": expected}


def _path(value: object, info: ValidationInfo) -> object:
    """Relative to the folder of the file that says so, not to wherever the station was started."""
    text = str(value) if isinstance(value, Path) else value
    if not isinstance(text, str) or not text.isprintable() or not 0 < len(text) <= PATH_LIMIT_CHARACTERS:
        raise ValueError("not_a_path")
    folder = info.context["folder"] if info.context else Path()
    return Path(folder, text)


def _serial_port(value: object, info: ValidationInfo) -> object:
    """A path, or a search that stays the text that it is."""
    if not isinstance(value, str) or not value.lower().startswith(SEARCH_SCHEME):
        return _path(value, info)
    if not value.isprintable() or not len(SEARCH_SCHEME) < len(value) <= PATH_LIMIT_CHARACTERS:
        raise ValueError("not_a_search")
    try:
        re.compile(value[len(SEARCH_SCHEME) :])
    except re.error as error:
        raise ValueError("not_a_search") from error
    return value


def _url(value: object) -> object:
    if not isinstance(value, str) or not value.isprintable() or " " in value or len(value) > URL_LIMIT_CHARACTERS:
        raise ValueError("not_a_url")
    parts = urlsplit(value)
    host = parts.hostname
    if not host or parts.username is not None or parts.query or parts.fragment or parts.port == 0:
        raise ValueError("not_a_url")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return value.rstrip("/")
    raise ValueError("not_a_url")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _time_zone(value: object) -> object:
    # The time zone database is a folder of files: a name that leaves it raises ValueError.
    if not isinstance(value, str):
        raise ValueError("not_a_time_zone")  # noqa: TRY004 - pydantic makes an error of a ValueError only
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("not_a_time_zone") from error
    return value


def _folder_on_key(value: object) -> object:
    if not isinstance(value, str) or not value.startswith("/") or not value.isascii() or not value.isprintable():
        raise ValueError("not_a_folder")
    return value.rstrip("/")


def _checked(check: Callable[..., object]) -> BeforeValidator:
    return BeforeValidator(check)


FilePath: TypeAlias = Annotated[Path, _checked(_path), Field(json_schema_extra=_expected("the path of a file"))]


class Table(BaseModel):
    """A table that knows all of its keys, and whose values never change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, validate_default=True
    )


class StationTable(Table):
    """Who this station is. ``station enrol`` writes it."""

    number: Annotated[int, Reach.PROCESS] = Field(
        ge=1, le=65535, description="The station's number, as central gave it."
    )
    name: Annotated[str, Reach.LIVE] = Field(
        min_length=1, max_length=NAME_LIMIT_CHARACTERS, description="What people call it; shown on the screen."
    )
    profile: Annotated[Profile, Reach.PROCESS] = Field(
        default="sync-station",
        description="What the station is; it must be the role in its certificate, or it refuses to start.",
    )


class CentralTable(Table):
    """Where the central server is."""

    url: Annotated[Annotated[str, _checked(_url)] | None, Reach.CENTRAL] = Field(
        default=None,
        description="The central server; only an activation box goes without.",
        json_schema_extra=_expected("an https address (http only to this machine itself, as http://127.0.0.1:8000)"),
    )
    ca_file: Annotated[FilePath | None, Reach.CENTRAL] = Field(
        default=None, description="Certificates to trust instead of the system's, as PEM, for a private authority."
    )
    metered: Annotated[bool, Reach.LIVE] = Field(
        default=False,
        description="Each byte of the line is paid for: ask for changes every `poll_s` seconds. Otherwise central "
        "tells of a change at once, on a call that is always open.",
    )
    poll_s: Annotated[int, Reach.LIVE] = Field(
        default=60,
        ge=10,
        le=3600,
        description="How often to ask for changes on a metered line when no key is in the socket, in seconds; and "
        "within what time again when central could not be reached.",
    )
    refresh_deadline_ms: Annotated[int, Reach.LIVE] = Field(
        default=800,
        ge=0,
        le=5000,
        description="How long a person who has typed the PIN may wait for central, in milliseconds.",
        json_schema_extra=_because("nobody in the queue waits longer for a network"),
    )


class KeyReaderTable(Table):
    """The socket that keys are put into."""

    port: Annotated[Annotated[Path | str, _checked(_serial_port)], Reach.KEY_READER] = Field(
        default=Path("/dev/key-reader"),
        description="The serial port; best a name under /dev/serial/by-id, which stays the same, or `hwgrep://` and a "
        "regular expression for what the adapter says of itself.",
        json_schema_extra=_expected("the path of a serial port, as /dev/serial/by-id/…, or hwgrep://EXPRESSION"),
    )
    baud: Annotated[Literal[9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1000000], Reach.KEY_READER] = (
        Field(default=115200, description="The line's speed, in bits per second.")
    )
    folder: Annotated[Annotated[str, _checked(_folder_on_key)], Reach.KEY_READER] = Field(
        default="/lfs1",
        max_length=64,
        description="Where the key keeps its files.",
        json_schema_extra=_expected("a folder on the key, as /lfs1"),
    )


class KeypadTable(Table):
    """The keypad."""

    entry_timeout_s: Annotated[int, Reach.LIVE] = Field(
        default=20, ge=5, le=60, description="After how long without a keystroke the digits are forgotten, in seconds."
    )


class PolicyTable(Table):
    """The site's rules."""

    active_minutes: Annotated[int, Reach.LIVE] = Field(
        default=660,
        ge=30,
        le=660,
        description="How long a key works after the PIN, in minutes.",
        json_schema_extra=_because("11 hours are the most that locks accept"),
    )
    mirror_max_age_days: Annotated[int, Reach.LIVE] = Field(
        default=10,
        ge=1,
        le=10,
        description="For how long a station that cannot reach central goes on switching keys on, in days.",
        json_schema_extra=_because("permits are only sure to last that long without being renewed"),
    )
    left_in_s: Annotated[int, Reach.LIVE] = Field(
        default=120,
        ge=30,
        le=600,
        description="After how long a key left in the socket is switched off again, in seconds.",
    )


class DisplayTable(Table):
    """The screen."""

    language: Annotated[Language, Reach.LIVE] = Field(
        default="sv", description="The station's language; a holder's own comes first."
    )
    receipt_s: Annotated[int, Reach.LIVE] = Field(
        default=30, ge=3, le=120, description="How long the receipt stays when nobody comes next, in seconds."
    )
    bell: Annotated[bool, Reach.LIVE] = Field(
        default=True, description="A sound when a key is ready, refused or left behind."
    )
    standby_min: Annotated[int, Reach.LIVE] = Field(
        default=10,
        ge=0,
        le=1440,
        description="After how long without a key the screen goes dark, in minutes; 0: never.",
    )
    technician_code: Annotated[str | None, Reach.LIVE] = Field(
        default=None,
        max_length=200,
        pattern=r"^\$argon2id\$v=19\$m=[0-9]{4,7},t=[0-9]{1,2},p=[0-9]\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{22,86}$",
        description="The Argon2id hash of the code that opens the technician's page; without one there is none.",
        # A hash, because the file is no place for a code that can be read.
        json_schema_extra=_expected("an Argon2id hash, as $argon2id$v=19$m=…"),
    )


class StorageTable(Table):
    """What the station keeps."""

    database: Annotated[FilePath, Reach.PROCESS] = Field(
        default=Path("station.db"), description="The SQLite file of mirror, outbox and wrong PINs; made when missing."
    )
    credentials: Annotated[FilePath, Reach.PROCESS] = Field(
        default=Path("credentials.json"),
        description="Token, private key and pepper (mode 0600); made by `station enrol`.",
    )


class ClockTable(Table):
    """What time may rest on besides central's signed answers."""

    trust_ntp: Annotated[bool, Reach.LIVE] = Field(
        default=True, description="Believe the system when it says that NTP has set its clock."
    )
    trust_rtc: Annotated[bool, Reach.LIVE] = Field(
        default=False, description="Believe a battery-backed clock, /sys/class/rtc/rtc0: after a power cut, at a box."
    )
    time_zone: Annotated[Annotated[str, _checked(_time_zone)], Reach.LIVE] = Field(
        default="Europe/Stockholm",
        description="The site's, for windows and for what the screen says, until central has told it.",
        json_schema_extra=_expected("the name of a time zone, as Europe/Stockholm"),
    )


class Settings(Table):
    """All of ``station.toml``. Get one from `config.load`."""

    station: StationTable
    central: CentralTable = Field(default_factory=CentralTable)
    key_reader: KeyReaderTable = Field(default_factory=KeyReaderTable)
    keypad: KeypadTable = Field(default_factory=KeypadTable)
    policy: PolicyTable = Field(default_factory=PolicyTable)
    display: DisplayTable = Field(default_factory=DisplayTable)
    storage: StorageTable = Field(default_factory=StorageTable)
    clock: ClockTable = Field(default_factory=ClockTable)

    _version: str = PrivateAttr(default="")

    @property
    def version(self) -> str:
        """The first 12 hexadecimal digits of SHA-256 over the file: tells two configurations apart."""
        return self._version

    @property
    def is_activation_box(self) -> bool:
        """Whether this is an activation box: no mirror, no network, and a clock of its own."""
        return self.station.profile == "activation-box"

    def rules(self) -> Policy:
        """What the visit machine is told."""
        return Policy(
            active_minutes=self.policy.active_minutes,
            mirror_max_age_days=self.policy.mirror_max_age_days,
            refresh_deadline_s=self.central.refresh_deadline_ms / 1000,
            receipt_s=self.display.receipt_s,
            left_in_s=self.policy.left_in_s,
            entry_timeout_s=self.keypad.entry_timeout_s,
        )


def keys_with_reach(model: type[BaseModel]) -> Iterator[tuple[str, str, Reach]]:
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


def changed_keys(old: Settings, new: Settings) -> dict[str, Reach]:
    """The keys, as ``policy.left_in_s``, whose effective values differ, and how far each reaches."""
    return {
        f"{table}.{key}": reach
        for table, key, reach in keys_with_reach(Settings)
        if getattr(getattr(old, table), key) != getattr(getattr(new, table), key)
    }
