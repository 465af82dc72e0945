"""Edits by hand: whatever is changed, by the admin page, by an import or as sample data."""

from collections.abc import Iterator
from contextlib import contextmanager

from central.clock import unix_now
from central.feed import change
from central.signing.outdated import sign_outdated


@contextmanager
def edit() -> Iterator[None]:
    """A change of anything: what it makes outdated is signed at its end. Raises BlocklistFull."""
    with change() as going_on:
        yield
        sign_outdated(going_on.saved.values(), going_on.deleted, unix_now())
