"""The list of what is blocked has room for 3000 keys and 100 stations: what happens before it is full, and then."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.test import Client

from central import models
from central.actions.keys import block_key
from central.actions.stations import revoke_station
from central.models import Block, Key, Station
from central.signing import keyring
from central.signing.blocklists import BlocklistFull
from station.records.claims import Blocklist
from station.records.envelope import verified
from tests.office.asking import at, words

pytestmark = pytest.mark.usefixtures("nothing_stays")
WARNING = "is nearly full"


def block_many(there: SimpleNamespace, keys: int = 0, stations: int = 0) -> None:
    """As after years; told to nobody until the next change."""

    it, unit = there.site, there.one.unit
    Key.objects.bulk_create(
        Key(site=it, number=n, kind=1, unit=unit, status="blocked") for n in range(10_000, 10_000 + keys)
    )
    Station.objects.bulk_create(
        Station(site=it, number=n, name=str(n), unit=unit, stolen=True) for n in range(1000, 1000 + stations)
    )


def signed(there: SimpleNamespace) -> Blocklist:
    """The list as stations get it."""

    record = bytes(models.Blocklist.objects.get(site=there.site).record)
    claims = verified(Blocklist, record, keyring.verifying_keys(there.site))
    assert claims is not None
    return claims


def checked() -> str:
    """What the command line says of the database."""

    return "\n".join(str(found) for found in run_checks(databases=["default"]) if found.id == "central.W001")


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("site_administrator", there.site)


def test_it_says_so_before_it_is_full(there: SimpleNamespace, office: Any) -> None:
    block_many(there, keys=2699, stations=89)
    assert WARNING not in words(office.get(at(there, "today/")))
    assert f"site {there.number}:" not in checked()
    block_many_more(there)
    assert WARNING in words(office.get(at(there, "today/")))
    assert f"site {there.number}: 2700 of 3000 keys and 89 of 100 stations are blocked" in checked()


def block_many_more(there: SimpleNamespace) -> None:
    block_key(there.one.keys[1])


def test_one_key_more_is_refused_and_all_is_as_it_was(there: SimpleNamespace, office: Any, served: Any) -> None:
    block_many(there, keys=2999)
    lost, other = there.one.keys[:2]
    office.post(at(there, f"keys/{lost.number}/block/"))
    assert len(signed(there).blocked_keys) == 3000
    version = signed(there).version
    answer = office.post(at(there, f"keys/{other.number}/block/"), follow=True)
    assert "no more keys or stations can be blocked" in words(answer)
    other.refresh_from_db()
    assert other.status == "active"
    assert not Block.objects.filter(key=other).exists()
    assert signed(there).version == version
    refused_in_the_admin(other)
    # One that has been found makes room: it is handed in, and off the list.
    office.post(at(there, f"keys/{lost.number}/take-back/"))
    assert lost.number not in signed(there).blocked_keys
    office.post(at(there, f"keys/{other.number}/block/"))
    assert other.number in signed(there).blocked_keys
    assert Key.objects.filter(site=there.site, status="blocked").count() == 3000


def refused_in_the_admin(key: Any) -> None:
    admin = Client(headers={"host": "localhost"})
    admin.force_login(get_user_model().objects.get(username="admin"))
    action = {"action": "block", "_selected_action": [key.pk]}
    answer = words(admin.post("/admin/central/key/", action, follow=True))
    assert "Nothing is changed: blocklist_full" in answer
    assert "Blocked:" not in answer
    key.refresh_from_db()
    assert key.status == "active"


def test_one_station_more_is_refused(there: SimpleNamespace) -> None:
    block_many(there, stations=99)
    revoke_station(there.one.station)
    assert len(signed(there).blocked_stations) == 100
    with pytest.raises(BlocklistFull, match="stations=101"):
        revoke_station(there.two.station)
    assert not Station.objects.get(pk=there.two.station.pk).stolen
