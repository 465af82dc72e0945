"""The key's log: a CBOR sequence of a generation and entries ``[seq, time, lock, outcome, holder, battery_percent]``.

It only grows within a generation. When it needs space the key starts a new generation without what `ack`
(``[generation, seq]``) says may be forgotten; when that is not enough, the oldest entries go (a reader sees the gap in
seq). The newest entry always stays: seq goes on from it.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final

import cbor2

MAX_LOG_BYTES: Final = 65536
_KEPT_BYTES: Final = MAX_LOG_BYTES * 3 // 4
"""When unacknowledged entries have to go, so many go that this happens seldom."""


def append(log: bytes, ack: bytes, entry: Sequence[Any]) -> tuple[bytes, int]:
    """Append ``entry`` (without its seq) to ``log``; the new log, and the seq that the entry got."""
    generation, entries = parse(log)
    seq = entries[-1][0] + 1 if entries else 1
    encoded = cbor2.dumps([seq, *entry])
    if not log or generation is None:
        return cbor2.dumps(generation or 1) + encoded, seq
    if len(log) + len(encoded) <= MAX_LOG_BYTES:
        return log + encoded, seq
    return _compacted(generation, [*entries, [seq, *entry]], ack), seq


def parse(log: bytes) -> tuple[int | None, list[list[Any]]]:
    """Generation (None for an empty or unreadable log) and entries, up to the first thing that is none."""
    items = _sequence(log)
    if not items or type(items[0]) is not int or items[0] < 0:
        return None, []
    entries = []
    for item in items[1:]:
        if not (isinstance(item, list) and len(item) == 6 and type(item[0]) is int):
            break
        entries.append(item)
    return items[0], entries


def _compacted(generation: int, entries: list[list[Any]], ack: bytes) -> bytes:
    forgettable = _acknowledged(generation, ack)
    kept = [entry for entry in entries[:-1] if entry[0] > forgettable]
    encoded = [cbor2.dumps(entry) for entry in [*kept, entries[-1]]]
    head = cbor2.dumps(generation + 1)
    size_bytes = len(head) + sum(map(len, encoded))
    if size_bytes > MAX_LOG_BYTES:
        while size_bytes > _KEPT_BYTES:
            size_bytes -= len(encoded.pop(0))
    return head + b"".join(encoded)


def _acknowledged(generation: int, ack: bytes) -> int:
    items = _sequence(ack)
    if len(items) == 1 and isinstance(items[0], list) and len(items[0]) == 2:
        acked_generation, seq = items[0]
        # An ack from the future is one of another life of this key, before its log was lost.
        if type(acked_generation) is int and type(seq) is int and acked_generation <= generation:
            return seq
    return -1


def _sequence(data: bytes) -> list[Any]:
    items: list[Any] = []
    stream = BytesIO(data)
    while stream.tell() < len(data):
        before = stream.tell()
        try:
            items.append(cbor2.load(stream))
        except (cbor2.CBORDecodeError, ValueError):
            break
        if stream.tell() == before:
            break
    return items
