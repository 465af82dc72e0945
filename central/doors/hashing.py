"""Passwords are hashed a few at a time: each hash takes memory and a core, and strangers ask for them."""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher

from central import datafolder
from central.errors import Refused

AT_ONCE = 2
"""In all processes of the server together. With 46 MiB each, whatever comes, hashing takes 92 MiB and two cores."""
WAITING = 8
"""In this process; further ones are refused at once, so that threads are left for stations."""
WAIT_S = 5.0
LOOK_EVERY_S = 0.02

_waiting = threading.BoundedSemaphore(AT_ONCE + WAITING)


class FewAtOnceArgon2Hasher(Argon2PasswordHasher):
    """Django's own, with less memory (Django's takes 100 MiB) and a queue.

    An unknown name costs the same: Django hashes the password for nobody.
    """

    memory_cost = 47_104
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Django's protocol. Raises Refused (503 ``busy``)."""
        with hashing_place():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Django's protocol. Raises Refused (503 ``busy``)."""
        with hashing_place():
            return super().verify(password, encoded)


@contextmanager
def hashing_place() -> Iterator[None]:
    """Wait for one of the places, for a while. Raises Refused (503 ``busy``)."""
    if not _waiting.acquire(blocking=False):
        raise _busy()
    try:
        place = _lock_a_place(time.monotonic() + WAIT_S)
        try:
            yield
        finally:
            os.close(place)
    finally:
        _waiting.release()


def _lock_a_place(deadline: float) -> int:
    """A locked file: the lock ends with the process, whatever becomes of it, and holds between processes."""
    while True:
        for number in range(AT_ONCE):
            name: Any = datafolder.folder() / f"hashing-{number}.lock"
            descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            else:
                return descriptor
        if time.monotonic() >= deadline:
            raise _busy()
        time.sleep(LOOK_EVERY_S)


def _busy() -> Refused:
    return Refused(503, "busy", "too many log-ins at once: try again", {"Retry-After": "5"})
