"""One seeded data folder and one real `central serve` for a whole run."""

import json
from collections.abc import Iterator

import pytest

from tests.central.served import Served, central, start_server, stop_server


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    # Not before it is asked for: other folders' tests need no Django.
    from tests.central.django_ready import DATA

    keys = tmp_path_factory.mktemp("central") / "keys"
    summary = json.loads(central("seed", "--keys", str(keys), "--json", data=DATA))
    process, url = start_server(DATA)
    yield Served(DATA, summary, keys, url)
    from django.db import connections

    connections.close_all()
    stop_server(process)
