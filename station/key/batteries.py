"""What the keys' batteries were at, by the newest entry that a lock wrote on each."""

from collections import OrderedDict

KEYS_LIMIT = 5000
"""More keys than any station sees; those not seen for the longest time go."""


class Batteries:
    """Kept in memory: last evening's entries were read last evening, and the warning is due in the morning as well."""

    def __init__(self) -> None:
        self._percents: OrderedDict[int, int] = OrderedDict()

    def note(self, key: int, percent: int | None) -> None:
        """Take up what the log of ``key`` said; None: nothing new."""
        if percent is None:
            return
        self._percents[key] = percent
        self._percents.move_to_end(key)
        if len(self._percents) > KEYS_LIMIT:
            self._percents.popitem(last=False)

    def percent(self, key: int) -> int | None:
        """The newest that is known."""
        return self._percents.get(key)
