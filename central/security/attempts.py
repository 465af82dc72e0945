"""A token bucket for each client's failed attempts: wrong tokens, wrong codes. Right ones cost nothing.

In this process only: it keeps the load and the logs of a guessing game small. What guessing could win is bounded
elsewhere: tokens have 256 bits, and a code ends after five wrong tries.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

BURST = 30
REFILL_S = 2.0
"""Seconds for each further attempt."""
CLIENTS_LIMIT = 10_000
"""The longest unseen is forgotten first: memory stays bounded when many addresses try."""


@dataclass
class _Bucket:
    left: float
    at_s: float


class Attempts:
    """The buckets of all clients. Safe between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, client: str) -> int:
        """How many seconds this client has to wait before it may fail again: 0, or at least 1."""
        with self._lock:
            bucket = self._buckets.get(client)
            if bucket is None:
                return 0
            self._refill(bucket)
            return 0 if bucket.left >= 1 else max(1, ceil((1 - bucket.left) * REFILL_S))

    def failed(self, client: str) -> None:
        """One attempt less."""
        with self._lock:
            bucket = self._buckets.setdefault(client, _Bucket(float(BURST), self._clock()))
            self._refill(bucket)
            bucket.left = max(0.0, bucket.left - 1)
            self._buckets.move_to_end(client)
            while len(self._buckets) > CLIENTS_LIMIT:
                self._buckets.popitem(last=False)

    def forget(self) -> None:
        """Begin anew with everybody."""
        with self._lock:
            self._buckets.clear()

    def _refill(self, bucket: _Bucket) -> None:
        now_s = self._clock()
        bucket.left = min(float(BURST), bucket.left + (now_s - bucket.at_s) / REFILL_S)
        bucket.at_s = now_s


attempts = Attempts()
"""This process's."""
