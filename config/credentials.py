"""What a station must keep secret: token, private key, peppers. One JSON file of mode 0600, or a systemd credential.

Values that would help a thief are `Secret`, which shows nothing; no error repeats any of the file's content.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError

from config.files import read_file, write_file
from config.problems import ConfigFault, Problem
from station.records.base64url import decoded, encoded
from station.records.claims import CHAIN_LIMIT, RECORD_LIMIT_BYTES, Role
from station.records.pin_secrets import (
    ARGON2_LANES_LIMIT,
    ARGON2_MEMORY_KIB,
    ARGON2_TIME_LIMIT,
    DIGITS_LIMIT,
    PEPPER_BYTES,
    SALT_BYTES,
)
from station.records.strict_json import MAX_NUMBER
from station.secret import Secret

FILE_LIMIT_BYTES = 64 * 1024
"""A certificate and a few keys are 2 KiB."""
FILE_MODE = 0o600
PEPPERS_LIMIT = 8
"""Central has two at the most; one that it has ended is still here until the mirror no longer names it, and of each
version there may be another beside the one held longest: nobody signs what central answers."""
TOKEN_CHARACTERS = re.compile(r"[\x21-\x7e]{16,512}")
SYSTEMD_FOLDER = "CREDENTIALS_DIRECTORY"
NO_CREDENTIALS = b"{}"
"""What the unit's SetCredential= hands over where there is no file: without it the service would not even start."""
_MISSING = "there is no such file; `station enrol` makes it"


def _octets(low: int, high: int) -> Callable[[object], bytes]:
    def read(value: object) -> bytes:
        if isinstance(value, str):
            try:
                value = decoded(value)
            except ValueError:
                raise ValueError("not_base64url") from None
        if not isinstance(value, bytes) or not low <= len(value) <= high:
            raise ValueError("wrong_size")
        return value

    return read


def _secret_octets(low: int, high: int) -> PlainValidator:
    read = _octets(low, high)
    return PlainValidator(lambda value: Secret(read(value.reveal() if isinstance(value, Secret) else value)))


def _secret_text(value: object) -> Secret[str]:
    text = value.reveal() if isinstance(value, Secret) else value
    # It goes into a header as it is: no line ends, no blanks.
    if not isinstance(text, str) or not TOKEN_CHARACTERS.fullmatch(text):
        raise ValueError("not_a_token")
    return Secret(text)


_Seed: TypeAlias = Annotated[Secret[bytes], _secret_octets(32, 32)]
_Pepper: TypeAlias = Annotated[Secret[bytes], _secret_octets(PEPPER_BYTES[0], PEPPER_BYTES[-1])]
_Token: TypeAlias = Annotated[Secret[str], PlainValidator(_secret_text)]
_Salt: TypeAlias = Annotated[bytes, BeforeValidator(_octets(SALT_BYTES[0], SALT_BYTES[-1]))]
_PublicKey: TypeAlias = Annotated[bytes, BeforeValidator(_octets(32, 32))]
_Record: TypeAlias = Annotated[bytes, BeforeValidator(_octets(1, RECORD_LIMIT_BYTES))]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Argon2Cost(_Frozen):
    """What a guess at a PIN costs."""

    time: int = Field(ge=1, le=ARGON2_TIME_LIMIT)
    """Passes."""
    memory_kib: int = Field(ge=ARGON2_MEMORY_KIB[0], le=ARGON2_MEMORY_KIB[-1])
    lanes: int = Field(ge=1, le=ARGON2_LANES_LIMIT)


class Pepper(_Frozen):
    """A pepper of the site's PINs, and its version."""

    version: int = Field(ge=0, le=MAX_NUMBER)
    pepper: _Pepper


class Credentials(_Frozen):
    """What central gave a station at its enrolment, and the station's own private key.

    The file holds the same names, byte strings as base64url without padding.
    """

    station: int = Field(ge=1, le=65535)
    site: int = Field(ge=0, le=2**32 - 1)
    role: Role
    token: _Token
    """What the station shows central with every call."""
    signing_seed: _Seed
    """The 32 bytes of the station's Ed25519 private key (RFC 8032)."""
    certificate: _Record
    """``station/1``: central's signature under the station's public key."""
    central_keys: tuple[_PublicKey, ...] = Field(min_length=1, max_length=CHAIN_LIMIT)
    """Raw Ed25519 public keys, oldest first."""
    site_salt: _Salt
    peppers: tuple[Pepper, ...] = Field(min_length=1, max_length=PEPPERS_LIMIT)
    """Newest first."""
    argon2: Argon2Cost
    pin_digits: int = Field(ge=1, le=DIGITS_LIMIT)
    """Of PINs that are given now; a station goes by its mirror's, when it has one."""

    @classmethod
    def load(cls, path: Path, environment: Mapping[str, str] = os.environ) -> Self:
        """The credentials at ``path``, or those of that name that systemd has handed to this service.

        The file itself comes first: it is the one that `save` renews. Raises ConfigFault, also for a file that others
        may read.
        """
        folder = environment.get(SYSTEMD_FOLDER)
        handed = Path(folder, path.name) if folder else None
        if handed is not None and handed.exists() and not path.exists():
            # systemd shows its access list as group bits; nobody else gets into its folder.
            content = _read(handed, forbidden_mode=0o007)
            if content.strip() == NO_CREDENTIALS:
                raise ConfigFault("credentials_missing", [Problem(str(path), _MISSING)])
        else:
            content = _read(path, forbidden_mode=0o077)
        try:
            return cls.model_validate(_document(content, path))
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)
            problems = [
                Problem(str(path), "is missing or not as enrolment wrote it", key=_dotted(detail["loc"]))
                for detail in details
            ]
            raise ConfigFault("credentials_invalid", problems) from None

    def save(self, path: Path) -> None:
        """Write the file, mode 0600, atomically. Raises ConfigFault."""
        content = json.dumps({name: _written(value) for name, value in self}, indent=1).encode() + b"\n"
        write_file(path, content, FILE_MODE, "credentials")


def _written(value: object) -> object:
    if isinstance(value, Secret):
        value = value.reveal()
    if isinstance(value, bytes):
        return encoded(value)
    if isinstance(value, tuple):
        return [_written(item) for item in value]
    return {name: _written(each) for name, each in value} if isinstance(value, BaseModel) else value


def _document(content: bytes, path: Path) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        # The decoder's error holds the whole text.
        raise ConfigFault("credentials_invalid", [Problem(str(path), "is not JSON as enrolment wrote it")]) from None


def _read(path: Path, forbidden_mode: int) -> bytes:
    return read_file(path, "credentials", FILE_LIMIT_BYTES, missing=_MISSING, forbidden_mode=forbidden_mode)


def _dotted(key: tuple[int | str, ...]) -> str | None:
    return ".".join(str(part) for part in key) or None
