"""Mirror objects as a database is given them, for tests that are not about confirming them."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from offline_cache import SqliteStore
from station.ports import MirrorObject, MirrorState, MirrorUpdate, ReceivedObject
from station.records.mirror_digest import ObjectName
from station.records.strict_json import canonical


def received(body: Mapping[str, Any], pin_tag: bytes | None = None) -> ReceivedObject:
    """An object that is used as it was received."""
    text = canonical(body)
    name = ObjectName(body["type"], body["id"])
    return ReceivedObject(name, body, text, hashlib.sha256(text).digest(), body, pin_tag)


async def take(
    store: SqliteStore,
    state: MirrorState,
    objects: Iterable[ReceivedObject | MirrorObject],
    removes: Iterable[tuple[str, int]] = (),
    *,
    whole: bool = False,
) -> None:
    """As after an answer that a head has confirmed."""
    upserts = [each if isinstance(each, ReceivedObject) else received(each.body) for each in objects]
    names = [ObjectName(*each) for each in removes]
    await store.take_mirror(MirrorUpdate(state, upserts, names, whole=whole))
