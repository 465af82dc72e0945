"""One seeded data folder and one real `central serve` for a whole run: Django in a process can have one folder only."""

import json
import os
from collections.abc import Iterator

import pytest

from tests.central.served import Served, central, start_server, stop_server


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("central")
    data, keys = folder / "data", folder / "keys"
    summary = json.loads(central("seed", "--keys", str(keys), "--json", data=data))
    os.environ["CENTRAL_DATA"] = str(data)
    os.environ["DJANGO_SETTINGS_MODULE"] = "central.settings"
    import django

    django.setup()
    from django.db import connections

    process, url = start_server(data)
    yield Served(data, summary, keys, url)
    connections.close_all()
    stop_server(process)
