"""Two sites with two units each, and a user for each role; Django's client and the served sample data beside it."""

from collections.abc import Callable, Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from tests.central.conftest import caller, nothing_stays  # noqa: F401  (of the same server)
from tests.central.served import Served
from tests.central.site import make_site
from tests.office.asking import OfficeClient
from tests.office.browser import PASSWORD, USER, Browser, browsing


@pytest.fixture(scope="session")
def browser(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for the run, logged in through the page: a site administrator, an auditor, and a unit's section manager."""
    from django.contrib.auth import get_user_model

    from central.models import Membership, PasswordToChange, Site, Unit

    site = Site.objects.get(number=1)
    user = get_user_model().objects.create_user(USER, password=PASSWORD)
    PasswordToChange.objects.all().delete()
    for role in ("site_administrator", "auditor"):
        Membership.objects.create(user=user, role=role, site=site)
    Membership.objects.create(user=user, role="section_manager", site=site, unit=Unit.objects.get(site=site, number=1))
    with browsing(served.url, tmp_path_factory.mktemp("browser") / "profile") as it:
        it.log_in()
        yield it


@pytest.fixture(autouse=True)
def _nobody_has_failed_yet(served: Served) -> None:
    from central.models import TryCount

    TryCount.objects.all().delete()


@pytest.fixture
def there(served: Served) -> SimpleNamespace:
    return make_site(2, pools=True)


@pytest.fixture
def seat(served: Served) -> Callable[..., Any]:
    """``seat(role, site, unit=None)``: a client that is logged in as somebody with that role."""
    from django.contrib.auth import get_user_model

    from central.models import Membership

    names = count(1)

    def sit(role: str | None, site: Any, unit: Any = None) -> OfficeClient:
        user, _ = get_user_model().objects.get_or_create(username=f"{role}-{site.number}-{next(names)}")
        if role is not None:
            Membership.objects.create(user=user, role=role, site=site, unit=unit)
        client = OfficeClient(headers={"host": "localhost", "accept-language": "en"})
        client.force_login(user)
        client.user = user  # type: ignore[attr-defined]
        return client

    return sit
