"""The digest of a mirror: the contract's examples, and the sum against one made lane by lane."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.records import mirror_digest
from station.records.mirror_digest import MirrorSum, ObjectName, change_of, object_hash
from station.records.strict_json import JsonRefused, read
from tests.mirror_sums import after

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "mirror_digest.json").read_text())
AREA = {"type": "area", "id": 3, "revision": 1, "name": "Kvarnbacken"}
hashes = st.binary(min_size=32, max_size=32)


def lanes(state: bytes) -> list[int]:
    return [int.from_bytes(state[at : at + 2], "little") for at in range(0, len(state), 2)]


def lane_by_lane(added: list[bytes], removed: list[bytes]) -> bytes:
    """The contract's sum, as slow as it is written there."""
    total = [0] * 1024
    for sign, each in [*((1, h) for h in added), *((-1, h) for h in removed)]:
        element = lanes(hashlib.shake_128(each).digest(2048))
        total = [(a + sign * b) % 65536 for a, b in zip(total, element, strict=True)]
    return b"".join(lane.to_bytes(2, "little") for lane in total)


class Mirror:
    """Objects and their sum, kept as a station keeps them."""

    def __init__(self) -> None:
        self.hashes: dict[ObjectName, bytes] = {}
        self.sum = MirrorSum()

    def apply(self, upserts: Any, removes: Any) -> None:
        change = change_of(upserts, removes)
        self.sum = after(self.sum, change, self.hashes)
        self.hashes |= {name: object_hash(each) for name, each in change.upserts.items()}
        for name in change.removes:
            self.hashes.pop(name, None)

    def told(self) -> tuple[int, str]:
        return self.sum.count, self.sum.digest().hex()


@pytest.mark.parametrize("vector", VECTORS["objects"], ids=lambda v: v["name"])
def test_object_vector(vector: dict[str, Any]) -> None:
    hashed = object_hash(vector["object"])
    assert hashed.hex() == vector["hash"]
    assert lanes(MirrorSum().changed([hashed]).state)[:4] == vector["first_lanes"]


def test_steps() -> None:
    mirror = Mirror()
    for step in VECTORS["steps"]:
        mirror.apply(step["upserts"], step["removes"])
        assert mirror.told() == (step["count"], step["digest"]), step["name"]
        assert mirror.sum.count == len(mirror.hashes)


def answer(vector: dict[str, Any]) -> bytes:
    if "text" in vector:
        return str(vector["text"]).encode()
    items = ",".join([vector["item"]] * vector["times"])
    return f"{vector['before']}{items}{vector['after']}".encode()


def take(text: bytes) -> Mirror:
    page: dict[str, Any] = read(text)
    mirror = Mirror()
    mirror.apply(page["objects"] if "objects" in page else page["upserts"], page.get("removes", []))
    return mirror


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda v: v["name"])
def test_refused_vector(vector: dict[str, Any]) -> None:
    with pytest.raises(JsonRefused):
        take(answer(vector))


@pytest.mark.parametrize("vector", VECTORS["taken"], ids=lambda v: v["name"])
def test_taken_vector(vector: dict[str, Any]) -> None:
    assert take(answer(vector)).told() == (vector["count"], vector["digest"])


@pytest.mark.parametrize(
    "upserts",
    [7, None, "area", {"type": "area"}, [7], [[]], [{"type": "area"}], [{"id": 3}], [AREA | {"id": True}]],
)
def test_what_has_no_name_is_refused_whole(upserts: Any) -> None:
    with pytest.raises(JsonRefused):
        change_of(upserts, [])
    with pytest.raises(JsonRefused):
        change_of([], upserts)


def test_object_in_both_lists() -> None:
    with pytest.raises(JsonRefused) as refused:
        change_of([AREA], [{"type": "area", "id": 3}])
    assert refused.value.code == "object_named_twice"


@settings(max_examples=30, deadline=None)
@given(added=st.lists(hashes, max_size=8), taken=st.integers(0, 8))
def test_as_lane_by_lane(added: list[bytes], taken: int) -> None:
    removed = added[:taken]
    total = MirrorSum().changed(added, removed)
    assert total.state == lane_by_lane(added, removed)
    assert total.count == len(added) - len(removed)
    assert MirrorSum(total.count, total.state).changed(removed).state == MirrorSum().changed(added).state


@settings(max_examples=30, deadline=None)
@given(added=st.lists(hashes, max_size=6), data=st.data())
def test_order_and_portions_do_not_matter(added: list[bytes], data: st.DataObject) -> None:
    total = MirrorSum()
    for each in data.draw(st.permutations(added)):
        total = total.changed([each])
    assert total == MirrorSum().changed(added)
    assert total.changed(removed=added) == MirrorSum()


@pytest.mark.parametrize("room", [1, 2, 3])
def test_a_full_lane_is_emptied_before_it_runs_over(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    added = [bytes([n]) * 32 for n in range(7)]
    monkeypatch.setattr(mirror_digest, "_ROOM", room)
    assert MirrorSum().changed(added, added[:3]).state == lane_by_lane(added[3:], [])


def test_more_than_lanes_have_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    # The worst case: every lane full at the start, and each element the greatest there is.
    monkeypatch.setattr(mirror_digest, "_element", lambda _: b"\xff\xff" * 1024)
    full = MirrorSum(1, b"\xff\xff" * 1024)
    most = 65536 + 5
    assert lanes(full.changed([b""] * most).state) == [(0xFFFF * (most + 1)) % 65536] * 1024
    monkeypatch.setattr(mirror_digest, "_element", lambda _: bytes(2048))
    # Removing nothing adds 2^16 to each lane: the largest that is ever added.
    many = MirrorSum(most, b"\xff\xff" * 1024)
    assert many.changed(removed=[b""] * most).state == many.state


def test_65536_copies_of_a_lie_would_vanish() -> None:
    # Why an answer may name an object only once.
    assert MirrorSum().changed([b"lie"] * 65536).state == MirrorSum().state


@pytest.mark.parametrize(("count", "state"), [(0, b""), (0, bytes(2047)), (-1, bytes(2048))])
def test_not_a_sum(count: int, state: bytes) -> None:
    with pytest.raises(ValueError, match="sum"):
        MirrorSum(count, state)


def test_more_removed_than_there_was() -> None:
    with pytest.raises(ValueError, match="sum"):
        MirrorSum().changed(removed=[b"h" * 32])
