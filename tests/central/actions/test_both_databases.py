"""The log of events, on SQLite and on a real PostgreSQL: `on_any_database.py`."""

from pathlib import Path

from tests.central.own_process import passed_on_postgresql, passed_on_sqlite

FILE = Path(__file__).with_name("on_any_database.py")


def test_on_sqlite() -> None:
    passed_on_sqlite(FILE)


def test_on_postgresql() -> None:
    passed_on_postgresql(FILE)
