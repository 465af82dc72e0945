"""What is recorded once in a visit, however often the key's contact bounces meanwhile."""

from collections.abc import Callable


class OncePerVisit:
    """Remembers what has been recorded in the visit of the moment; each insertion has work of its own, a visit one."""

    def __init__(self, visit: Callable[[], int]) -> None:
        """``visit`` is the number of the visit of the moment."""
        self._visit = visit
        self._of_visit = 0
        self._told: set[str] = set()

    def is_first(self, event_type: str) -> bool:
        """Whether this is the visit's first of its type; from now on it has been."""
        if self._visit() != self._of_visit:
            self._of_visit = self._visit()
            self._told.clear()
        first = event_type not in self._told
        self._told.add(event_type)
        return first
