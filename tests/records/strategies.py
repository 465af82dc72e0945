"""Hypothesis strategies for claims: any that the contract allows, the largest numbers included."""

from hypothesis import strategies as st

from station.records.claims import (
    EVERY_AREA,
    MAX_UINT16,
    MAX_UINT32,
    MAX_UINT64,
    Activation,
    Blocklist,
    Category,
    CentralKey,
    Claims,
    ClockSource,
    Head,
    KeyKind,
    KeyRecord,
    LogPosition,
    Permit,
    Role,
    StationCertificate,
    Sync,
    TimeAnswer,
    Window,
)
from station.records.keys import SigningKey

times = st.integers(0, MAX_UINT64)
ids = st.integers(1, MAX_UINT32)
small_ids = st.integers(1, MAX_UINT16)
tags = st.binary(min_size=16, max_size=16)
digests = st.binary(min_size=32, max_size=32)
public_keys = digests.map(lambda seed: SigningKey(seed).public)


def ascending(limit: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Ascending numbers, also close together."""
    numbers = st.one_of(ids, st.integers(1, 50))
    return st.lists(numbers, unique=True, max_size=limit).map(lambda n: tuple(sorted(n)))


minute_pairs = st.tuples(st.integers(0, 1440), st.integers(0, 1440)).filter(lambda p: p[0] != p[1]).map(sorted)
windows = st.builds(lambda days, minutes: Window(days, *minutes), st.integers(1, 127), minute_pairs)

key_records = st.one_of(
    st.builds(KeyRecord, times, ids, st.just(KeyKind.PERSONAL), small_ids, ids, st.none() | public_keys),
    st.builds(KeyRecord, times, ids, st.sampled_from([KeyKind.SUBSTITUTE, KeyKind.EMERGENCY]), small_ids),
)
permits = st.builds(
    Permit,
    expires=times,
    not_before=times,
    issued=times,
    holder=ids,
    revision=times,
    areas=st.one_of(st.just(EVERY_AREA), ascending(30)),
    locks=ascending(30),
    windows=st.lists(windows, max_size=14).map(tuple),
    pin_tag=tags,
    category=st.sampled_from(Category),
)
certificates = st.builds(StationCertificate, times, times, small_ids, small_ids, public_keys, st.sampled_from(Role))
activations = st.builds(
    Activation, times, times, ids, ids, tags, small_ids, clock=st.sampled_from(ClockSource), sequence=times
)
syncs = st.builds(Sync, times, ids, small_ids)
blocklists = st.builds(Blocklist, times, times, times, ascending(30), ascending(10))
time_answers = st.builds(TimeAnswer, times, tags)
log_positions = st.builds(LogPosition, times, times)
heads = st.one_of(
    st.builds(Head, times, small_ids, times, tags, times, digests, key=st.none(), log_seen=st.none()),
    st.builds(Head, times, small_ids, times, tags, times, digests, key=ids, log_seen=log_positions),
)
central_keys = st.builds(CentralKey, times, public_keys, times)

CLAIMS: dict[type[Claims], st.SearchStrategy[Claims]] = {
    KeyRecord: key_records,
    Permit: permits,
    StationCertificate: certificates,
    Activation: activations,
    Sync: syncs,
    Blocklist: blocklists,
    TimeAnswer: time_answers,
    Head: heads,
    CentralKey: central_keys,
}
