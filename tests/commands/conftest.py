"""One sample site for all tests of the command line: seeding central takes seconds."""

from collections.abc import Iterator

import pytest

from tests.running_site import RunningSite


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    found = RunningSite(tmp_path_factory.mktemp("site"))
    yield found
    found.close()


@pytest.fixture(autouse=True)
def _empty_socket(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "site" in request.fixturenames:
        request.getfixturevalue("site").pull()
