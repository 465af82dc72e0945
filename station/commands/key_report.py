"""What is on a key, decoded and verified file by file, for `station key show`. No PIN tag is shown."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from enum import IntEnum
from typing import Any

import cbor2

from station.commands.command_line import utc_text
from station.commands.inserted_key import KeyContent
from station.key import log_entries
from station.records import envelope
from station.records.claims import (
    Activation,
    Blocklist,
    Claims,
    KeyRecord,
    Permit,
    StationCertificate,
    Sync,
    Window,
)
from station.records.envelope import RecordError
from station.rules.lights import key_light
from station.rules.locks import activation_of

_HIDDEN = frozenset({"pin_tag", "public_key", "key_public", "permit_digest"})
"""A tag is what a thief of the pepper would search for; the others are of use to nobody."""
_TIMES = frozenset({"expires", "not_before", "issued"})


def report(key: KeyContent, central_keys: Sequence[bytes]) -> dict[str, Any]:
    """What `station key show --json` prints.

    ``files``: for each file its length, whether it verifies, why not, and what it says; ``light``: what the key's own
    light shows; ``active``: None when it opens locks now, else the lock's reason why not.
    """
    now_s = key.time_s()
    files = {name: _file(name, key, central_keys) for name in key.files}
    judgement = activation_of(envelope, central_keys, key.files, now_s) if now_s is not None else None
    refusal = "clock_unset" if judgement is None else judgement.refusal.value if judgement.refusal else None
    claims = files["id"].get("claims") or {}
    return {
        "key": claims.get("key"),
        "kind": claims.get("kind"),
        "unit": claims.get("unit"),
        "holder": claims.get("holder"),
        "active": refusal is None,
        "reason": refusal,
        "light": key_light(envelope, central_keys, key.files, now_s).value,
        "clock": _clock(key),
        "log_entries": files["log"].get("entries", 0),
        "files": files,
    }


def lines(told: Mapping[str, Any]) -> Sequence[str]:
    """The report as lines for people."""
    clock = told["clock"]
    whose = "a key that does not say which it is" if told["key"] is None else f"key {told['key']}"
    what = f", {told['kind']}, unit {told['unit']}" if told["key"] is not None else ""
    holder = f", holder {told['holder']}" if told["holder"] is not None else ""
    found = [
        f"{whose}{what}{holder}",
        f"light    {told['light'].replace('_', ' ')}" + ("" if told["active"] else f" ({told['reason']})"),
        f"clock    {clock['state']}" + (f", {utc_text(clock['unix_s'])}" if clock["unix_s"] is not None else ""),
    ]
    found += [f"{name:<8} {_line(file)}" for name, file in told["files"].items()]
    return found


def _line(file: Mapping[str, Any]) -> str:
    if file["bytes"] == 0 and file["why"] is None:
        return "empty"
    if file["why"] is not None:
        return f"{file['bytes']} bytes, NOT valid: {file['why']}"
    if "entries" in file:
        return f"{file['bytes']} bytes, generation {file['generation']}, {file['entries']} entries"
    said = ", ".join(f"{name} {_shown(name, value)}" for name, value in (file.get("claims") or {}).items())
    return f"{file['bytes']} bytes, valid: {said}"


def _shown(name: str, value: Any) -> str:
    if name in _TIMES:
        return utc_text(value)
    if isinstance(value, list) and len(value) > 8:
        return f"({len(value)})"
    return str(value)


def _file(name: str, key: KeyContent, central_keys: Sequence[bytes]) -> dict[str, Any]:
    content = key.files[name]
    told: dict[str, Any] = {"bytes": len(content), "valid": None, "why": key.refused.get(name)}
    if not content or told["why"] is not None:
        return told | {"valid": False if told["why"] else None}
    try:
        told |= _READERS[name](content, key, central_keys)
    except RecordError as error:
        return told | {"valid": False, "why": error.code}
    return told | {"valid": told["why"] is None}


def _record(kind: type[Claims], content: bytes, signers: Sequence[bytes]) -> dict[str, Any]:
    claims = envelope.verify(kind, content, signers)
    names = [each.name for each in fields(claims)]
    return {"claims": {n: _plain(getattr(claims, n)) for n in names if n not in _HIDDEN}}


def _plain(value: Any) -> Any:
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Window):
        return [value.weekdays, value.start_minute, value.end_minute]
    return value


def _by_central(kind: type[Claims]) -> "_Reader":
    return lambda content, _key, central: _record(kind, content, central)


def _by_station(kind: type[Claims], *certificates: str) -> "_Reader":
    """A reader of records signed by the station whose certificate is on the key."""

    def read(content: bytes, key: KeyContent, central: Sequence[bytes]) -> dict[str, Any]:
        found = [envelope.verified(StationCertificate, key.files[name], central) for name in certificates]
        signers = [each.public_key for each in found if each is not None]
        if not signers:
            return {"why": "no_station_certificate"}
        return _record(kind, content, signers)

    return read


def _log(content: bytes, _key: KeyContent, _central: Sequence[bytes]) -> dict[str, Any]:
    head = log_entries.generation_of(content)
    if head is None:
        return {"why": "log_garbage", "entries": 0, "generation": None}
    generation, begins = head
    read = log_entries.read_entries(content[begins:], generation)
    why = "log_garbage" if read.garbage else None
    return {"generation": generation, "entries": len(read.entries), "why": why}


def _ack(content: bytes, _key: KeyContent, _central: Sequence[bytes]) -> dict[str, Any]:
    try:
        value = cbor2.CBORDecoder(io.BytesIO(content)).decode()
    except (cbor2.CBORDecodeError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError):
        return {"why": "ack_garbage"}
    if not isinstance(value, list) or len(value) != 2 or not all(type(n) is int for n in value):
        return {"why": "ack_garbage"}
    return {"claims": {"generation": value[0], "seq": value[1]}}


_Reader = Callable[[bytes, KeyContent, Sequence[bytes]], dict[str, Any]]
_READERS: Mapping[str, _Reader] = {
    "id": _by_central(KeyRecord),
    "permit": _by_central(Permit),
    "cert": _by_central(StationCertificate),
    "boxcert": _by_central(StationCertificate),
    "block": _by_central(Blocklist),
    "sync": _by_station(Sync, "cert"),
    "act": _by_station(Activation, "boxcert", "cert"),
    "log": _log,
    "ack": _ack,
}


def _clock(key: KeyContent) -> dict[str, Any]:
    if key.clock is None:
        return {"state": "fault", "unix_s": None}
    return {"state": key.clock.state.value, "unix_s": key.clock.unix_s}
