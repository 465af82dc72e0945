"""The sum of a mirror after a change, as both ends keep it up."""

from collections.abc import Mapping

from station.records.mirror_digest import MirrorChange, MirrorSum, ObjectName, object_hash


def after(sum_: MirrorSum, change: MirrorChange, held: Mapping[ObjectName, bytes]) -> MirrorSum:
    """With ``change`` applied. ``held``: the hashes of the objects held of those that it names."""
    named = (*change.upserts, *change.removes)
    return sum_.changed(map(object_hash, change.upserts.values()), (held[name] for name in named if name in held))
