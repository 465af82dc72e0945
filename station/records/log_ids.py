"""Ids of what is found in a key's log: made of nothing else, so that two stations that read the same report one event.

UUIDs of version 5 (RFC 9562). Source: the key-link contract, "Files".
"""

import uuid

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:sync-station:key-log")


def entry_id(key: int, entry: bytes) -> uuid.UUID:
    """Of an entry of this key. ``entry``: its bytes as they lie in the log, not coded anew."""
    return uuid.uuid5(NAMESPACE, f"{key}:{entry.hex()}")


def gap_id(key: int, first: int, last: int) -> uuid.UUID:
    """Of missing entries. ``first``, ``last``: the first and the last seq that is not there."""
    return uuid.uuid5(NAMESPACE, f"{key}:gap:{first}:{last}")


def garbage_id(key: int, generation: int, offset: int) -> uuid.UUID:
    """Of bytes that are no entry. ``offset``: of the first of them, in bytes from the start of the file."""
    return uuid.uuid5(NAMESPACE, f"{key}:garbage:{generation}:{offset}")
