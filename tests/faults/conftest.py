"""Contacts in memory, virtual time, and the numbers of cases for the end of the run."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.smp import port
from tests.faults.bad_contact import ContactInMemory

SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices are `ContactInMemory`'s."""
    monkeypatch.setattr(port, "_open_device", ContactInMemory.open_device)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a thing: no power is cut here, and nobody shall wait for a disk."""
    if not SHARED_MEMORY.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY, prefix="sync-station-") as name:
        yield Path(name)


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Callable[[str, int, float], None]:
    """Tell how many cases of a kind there were, and the worst time of any; ``tests/conftest.py`` adds them up."""

    def count(kind: str, cases: int, worst_s: float = 0.0) -> None:
        record_property("cases", [kind, cases, worst_s])

    return count
