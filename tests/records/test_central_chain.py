"""The chain of central keys: rotations slept through, forks, rollbacks, and what each key may sign."""

from typing import Any

import pytest

from station.records import central_chain
from station.records.base64url import encoded
from station.records.central_chain import CentralChain, ChainKey, KeyStatus
from station.records.claims import CentralKey
from station.records.envelope import sign
from station.records.keys import SigningKey

KEYS = [SigningKey(bytes([n]) * 32) for n in range(1, 6)]
A, B, C, D, THIEF = (key.public for key in KEYS)
NEXT, CURRENT, RETIRED = KeyStatus.NEXT, KeyStatus.CURRENT, KeyStatus.RETIRED


def chain(*statuses: KeyStatus) -> CentralChain:
    return CentralChain(tuple(ChainKey(key.public, status) for key, status in zip(KEYS, statuses, strict=False)))


def link(place: int, signer: SigningKey | None = None, names: bytes | None = None) -> bytes:
    """The link of that place, as central signs it, or with another signer or key."""
    named = KEYS[place].public if names is None else names
    return sign(CentralKey(5, named, place), signer or KEYS[place - 1])


def listed(place: int, status: str, record: bytes | None = None, **changes: Any) -> dict[str, Any]:
    row = {"type": "central_key", "id": place, "revision": 1, "status": status}
    return row | {"record": encoded(record or link(place))} | changes


def statuses(of: CentralChain) -> list[KeyStatus]:
    return [key.status for key in of.keys]


def test_a_whole_rotation() -> None:
    known = chain(CURRENT)
    known = known.extended([listed(1, "next")])
    assert (statuses(known), known.head_signer(), known.verifying()) == ([CURRENT, NEXT], A, (A, B))
    known = known.extended([listed(1, "current")])
    assert (statuses(known), known.head_signer(), known.verifying()) == ([RETIRED, CURRENT], B, (B,))
    known = known.extended([listed(2, "next")])
    known = known.extended([listed(2, "current"), listed(1, "current")])
    # Until central says that the one before is retired, both verify; only the newest signs heads.
    assert (statuses(known), known.head_signer(), known.verifying()) == ([RETIRED, CURRENT, CURRENT], C, (B, C))
    known = known.extended([listed(1, "retired")])
    assert (statuses(known), known.head_signer(), known.verifying()) == ([RETIRED, RETIRED, CURRENT], C, (C,))


def test_a_station_that_slept_through_two_rotations() -> None:
    rows = [listed(3, "current"), listed(1, "retired"), listed(2, "retired")]
    assert chain(CURRENT).extended(rows) == chain(RETIRED, RETIRED, RETIRED, CURRENT)


def test_status_rollback() -> None:
    known = chain(RETIRED, RETIRED, CURRENT)
    assert known.extended([listed(1, "current"), listed(2, "next")]) == known


def test_a_link_that_is_no_longer_listed_is_not_unlearnt() -> None:
    assert chain(RETIRED, CURRENT).extended([]) == chain(RETIRED, CURRENT)


def test_fork_by_an_old_key() -> None:
    known = chain(RETIRED, CURRENT)
    stolen = link(2, KEYS[0], names=THIEF)
    assert known.extended([listed(2, "current", stolen)]) == known


def test_two_links_for_one_place_the_first_counts() -> None:
    known = chain(CURRENT, NEXT)
    other = link(1, KEYS[0], names=THIEF)
    assert known.extended([listed(1, "current", other)]) == known


def test_a_bad_row_closes_nothing() -> None:
    known = chain(CURRENT)
    rows = [
        listed(1, "lost"),
        listed(1, "next", record=b"noise"),
        listed(1, "next", id=True),
        listed(1, "next", id=0),
        listed(1, "next", id=-1),
        listed(1, "next", id=2**60),
        listed(1, "next") | {"record": 7},
        listed(1, "next") | {"record": "not base64url!"},
        listed(1, "next", type="area"),
        listed(2, "current"),
        {},
    ]
    assert known.extended(rows) == known
    assert known.extended([*rows, listed(1, "current")]) == chain(RETIRED, CURRENT, CURRENT)


def test_an_old_key_named_anew_does_not_come_back() -> None:
    known = chain(RETIRED, CURRENT)
    assert known.extended([listed(2, "current", link(2, names=A))]) == known
    assert known.extended([listed(2, "current", link(2, names=B))]) == known


def test_a_chain_without_a_current_key_signs_no_head() -> None:
    assert chain(RETIRED, RETIRED).head_signer() is None
    assert chain(RETIRED, RETIRED).verifying() == ()
    # A later key that is retired has been current before: the first is so no longer.
    assert chain(CURRENT).extended([listed(1, "retired")]) == chain(RETIRED, RETIRED)


def test_time_of_a_key_that_the_answer_itself_leads_to() -> None:
    links = [link(1), link(2), link(3)]
    assert chain(CURRENT).time_signers(links) == (A, B, C, D)
    assert chain(RETIRED, CURRENT, NEXT).time_signers(links) == (B, C, D)
    assert chain(RETIRED, CURRENT).time_signers([]) == (B,)
    assert chain(RETIRED, RETIRED).time_signers(links) == (C, D)


def test_time_rollback_by_a_retired_key() -> None:
    assert A not in chain(RETIRED, CURRENT).time_signers([link(1), link(2)])


def test_time_by_a_forked_chain() -> None:
    assert chain(RETIRED, CURRENT).time_signers([link(1, names=THIEF), link(2, KEYS[0], names=THIEF), b""]) == (B,)
    assert chain(CURRENT).time_signers([link(1), link(2, names=A)]) == (A, B)


def test_enrolment_knows_the_current_key_by_its_certificate() -> None:
    assert CentralChain.enrolled([A, B, C], current=B) == chain(RETIRED, CURRENT, NEXT)
    assert CentralChain.enrolled([A], current=A) == chain(CURRENT)
    for keys, current in [([A, B], THIEF), ([A, bytes(32)], A), ([], A)]:
        with pytest.raises(ValueError, match=r"not in list|not a public key"):
            CentralChain.enrolled(keys, current)


def test_note_round_trip() -> None:
    known = chain(RETIRED, CURRENT, NEXT)
    assert CentralChain.from_note(known.to_note()) == known


@pytest.mark.parametrize(
    "note",
    ["", "[]", "7", "{}", "[7]", '[["x"]]', '[["AAAA","current"]]', f'[["{encoded(A)}","lost"]]', "[" * 100_000],
)
def test_a_note_that_cannot_be_read(note: str) -> None:
    with pytest.raises(ValueError):
        CentralChain.from_note(note)


def test_the_chain_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(central_chain, "CHAIN_LIMIT", 2)
    known = chain(CURRENT).extended([listed(1, "next"), listed(2, "next")])
    assert known == chain(CURRENT, NEXT)
    assert known.time_signers([link(2)]) == (A, B)
    with pytest.raises(ValueError, match="chain"):
        chain(RETIRED, RETIRED, CURRENT)


def test_a_note_moves_statuses_on_and_adds_no_key() -> None:
    first, second, other = (SigningKey(bytes([number]) * 32).public for number in (1, 2, 3))
    chain = CentralChain((ChainKey(first, KeyStatus.CURRENT), ChainKey(second, KeyStatus.NEXT)))
    noted = CentralChain((ChainKey(second, KeyStatus.CURRENT), ChainKey(other, KeyStatus.CURRENT)))
    moved = chain.moved_on(noted)
    assert moved == CentralChain((ChainKey(first, KeyStatus.CURRENT), ChainKey(second, KeyStatus.CURRENT)))
    assert moved.moved_on(chain) == moved


def test_of_keys_that_verify_the_first_is_current() -> None:
    assert CentralChain.not_retired([A, B, C]) == chain(CURRENT, NEXT, NEXT)
    with pytest.raises(ValueError):
        CentralChain.not_retired([])
