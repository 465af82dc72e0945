"""The contact between key and socket: whether it only flickers."""

from dataclasses import dataclass

FLICKERS = 3
"""So many losses within `WITHIN_S` are no hand that changes its mind."""
WITHIN_S = 6.0


@dataclass(frozen=True, slots=True)
class Contact:
    """When contact was lost, lately."""

    lost_s: tuple[float, ...] = ()

    def lost(self, now_s: float) -> "Contact":
        """It has been lost once more."""
        return Contact((*self.lost_s, now_s)[-FLICKERS:])

    def flickers(self, now_s: float) -> bool:
        """Whether the key should be held."""
        return len(self.lost_s) == FLICKERS and now_s - self.lost_s[0] <= WITHIN_S
