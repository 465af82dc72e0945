"""Words for SMP requests, for timelines: ``read id``, ``write act``, ``clock``."""

from io import BytesIO

import cbor2

_OS = {0: "echo", 4: "clock", 6: "parameters"}
_FS = {0: "read", 1: "size", 2: "hash", 4: "close"}
_WRITE = 2


def name_of(request: bytes) -> str:
    """What a request (header and body, well-formed) asks for; ``…`` after a piece that is not a file's first."""
    group, command, writes = int.from_bytes(request[4:6]), request[7], request[0] & 7 == _WRITE
    if group == 0:
        return ("set " if writes and command else "") + _OS.get(command, str(command))
    body = cbor2.load(BytesIO(request[8:]))
    verb = "write" if writes and command == 0 else _FS.get(command, str(command))
    name = str(body.get("name", "")).rpartition("/")[2]
    return f"{verb} {name}{'…' if body.get('off') else ''}".strip()
