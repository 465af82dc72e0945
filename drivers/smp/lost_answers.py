"""What lost answers leave behind for the next key: perhaps an open upload, perhaps a key that takes no long request."""

import asyncio
from typing import Final

SMALL_REQUEST_BYTES: Final = 124
"""What any buffer takes, and two receive fragments of 128 bytes: a larger request is sent only to a key that was asked
for the size of its buffer, or that cannot say."""
ONE_LINE_BYTES: Final = 89
"""What fits one line, and so a single receive fragment."""
SMALL_ONCE_S: Final = 20.0
"""How long requests stay small after one lost burst: for the visit that goes on. It may have been the contact."""
SMALL_FOR_S: Final = 600.0
"""How long they do when another was lost before a large one was answered: then it is the key, or keys of its make."""


class LostAnswers:
    """Outlives the sessions of a reader, since the key that is put in next is probably the one that was lost."""

    def __init__(self) -> None:
        self.upload_open = False
        """The key may still be in the middle of an upload that ended badly."""
        self._burst_bytes = 0
        """The last session ended with a request of so many bytes that nothing answered; 0: it did not."""
        self._bursts = 0
        """How many, to keys that were still there, since a larger request than `_small_bytes` was answered."""
        self._small_bytes = SMALL_REQUEST_BYTES
        self._small_until_s = 0.0

    def not_answered(self, request_bytes: int) -> None:
        """Nothing answered a request of so many bytes: the session is over."""
        self._burst_bytes = request_bytes if request_bytes > ONE_LINE_BYTES else 0

    def answered(self, request_bytes: int) -> None:
        """A request of so many bytes was answered."""
        if request_bytes > self._small_bytes:
            self._bursts = 0

    def key_is_there(self, *, at_once: bool) -> None:
        """The next session begins; ``at_once``: with the first look for a key."""
        # A key that answers at once after a burst that nothing answered was there all the time: it cannot take one.
        if self._burst_bytes and at_once:
            self._small_bytes = SMALL_REQUEST_BYTES if self._burst_bytes > SMALL_REQUEST_BYTES else ONE_LINE_BYTES
            self._bursts += 1
            self._small_until_s = _now_s() + (SMALL_ONCE_S if self._bursts == 1 else SMALL_FOR_S)
        self._burst_bytes = 0

    def most_bytes(self, largest_bytes: int) -> int:
        """The largest request to be sent at this moment to a key that takes ``largest_bytes``."""
        return min(largest_bytes, self._small_bytes) if _now_s() < self._small_until_s else largest_bytes


def _now_s() -> float:
    return asyncio.get_running_loop().time()
