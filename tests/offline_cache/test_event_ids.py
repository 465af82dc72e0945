from uuid import RFC_4122, UUID

from offline_cache.event_ids import EventIds


def test_layout_is_that_of_rfc_9562() -> None:
    # The timestamp of the RFC's own example (appendix A.6): 2022-02-22T19:22:22Z.
    unix_ms = 0x017F22E279B0
    made = UUID(EventIds(lambda: unix_ms).next())
    assert made.version == 7
    assert made.variant == RFC_4122
    assert made.int >> 80 == unix_ms


def test_ids_grow_while_the_clock_stands_still() -> None:
    ids = EventIds(lambda: 1_700_000_000_000)
    made = [ids.next() for _ in range(5000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(UUID(each).version == 7 for each in made)


def test_ids_grow_when_the_clock_is_set_back_and_before_1970() -> None:
    times = iter([1_700_000_000_000, 1_600_000_000_000, -5, 1_700_000_000_001])
    ids = EventIds(lambda: next(times))
    made = [ids.next() for _ in range(4)]
    assert made == sorted(set(made))


def test_a_full_random_part_carries_into_the_timestamp() -> None:
    ids = EventIds(lambda: 1000)
    ids._last = (1000 << 74) | ((1 << 74) - 1)
    made = UUID(ids.next())
    assert made.int >> 80 == 1001
    assert made.version == 7


def test_two_makers_do_not_meet() -> None:
    def same() -> int:
        return 1_700_000_000_000

    assert EventIds(same).next() != EventIds(same).next()
