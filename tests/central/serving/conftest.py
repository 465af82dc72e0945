"""A seeded central on a PostgreSQL server of its own, for all tests of serving: each has it serve anew."""

from collections.abc import Iterator

import pytest

from tests.central import postgresql
from tests.central.postgresql import Cluster
from tests.central.serving.own_central import OwnCentral


@pytest.fixture(scope="session")
def database() -> Iterator[Cluster]:
    with postgresql.server(max_connections="24", superuser_reserved_connections="0") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def on_postgresql(database: Cluster, tmp_path_factory: pytest.TempPathFactory) -> OwnCentral:
    central = OwnCentral(tmp_path_factory.mktemp("serving") / "data", database.url())
    central.run("seed")
    return central
