"""Logging in: which passwords are taken, how long a session lasts, where it leads to."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory, override_settings

from central.doors import addresses, sessions
from central.models import Membership, PasswordToChange
from tests.central.site import make_site
from tests.office.asking import at

RIGHT = "ett långt eget lösenord"


@pytest.fixture
def person(there: SimpleNamespace) -> Iterator[Any]:
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        user = get_user_model().objects.create_user(f"vera-{there.number}", password=RIGHT, first_name="Vera")
        PasswordToChange.objects.filter(user=user).delete()
        Membership.objects.create(user=user, role="coordinator", site=there.site, unit=there.one.unit)
        yield user


def logged_in(person: Any, **form: str) -> tuple[Client, Any]:
    client = Client(headers={"host": "localhost"}, REMOTE_ADDR="203.0.113.90")
    return client, client.post("/office/login/", {"username": person.username, "password": RIGHT, **form})


@pytest.mark.parametrize(
    "password",
    [
        "kort", "elva tecken", "Sommar2026", "Sommar2026!!", "SommarSommar2026", "S0mm4r2026!!!!", "Våren-2027-Våren",
        "Efterår2026!Efterår", "Winter2026Winter", "Lösenord123456", "Välkommen2026!", "adgangskode1234",
        "hemtjänst2026!!", "Station2026Nyckel", "aaaaaaaaaaaaaaaa", "123456789012345", "qwertyuiop12",
        "qwerty123456789", "Testby2026!!!!", "norr-söder-2026", "BackenBacken99", "Vera2026Vera!!",
        "lördag-december-26",
    ],
)  # fmt: skip
def test_what_anybody_would_try_is_no_password(person: Any, password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, person)


@pytest.mark.parametrize(
    "password",
    [
        "korrekt häst batteri klammer", "gurka-vilse-trombon", "Xq7mfT9wKd2p", "one that only I know 7",
        "sommar i backen med gitarr",
    ],
)  # fmt: skip
def test_what_nobody_guesses_is_taken(person: Any, password: str) -> None:
    validate_password(password, person)


def test_the_words_are_those_of_the_sites_where_somebody_works(person: Any) -> None:
    make_site()
    unit = make_site().unit
    with pytest.raises(ValidationError):
        # An account that is new has no site yet: those of all.
        validate_password(f"{unit.site.name} {unit.name} {unit.name}", get_user_model()(username="ny"))


def test_a_session_that_nobody_uses_ends(there: SimpleNamespace, person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_800_000_000
    monkeypatch.setattr(sessions, "unix_now", lambda: now)
    client, _ = logged_in(person)
    for _ in range(4):
        assert client.get(at(there, "people/")).status_code == 200
        now += 40 * 60
    now += 6 * 60
    assert client.get(at(there, "people/")).status_code == 302


def test_a_session_ends_after_twelve_hours_however_busy(
    there: SimpleNamespace, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = now = 1_800_000_000
    monkeypatch.setattr(sessions, "unix_now", lambda: now)
    client, _ = logged_in(person)
    while now < began + 12 * 3600:
        assert client.get(at(there, "people/")).status_code == 200
        now += 600
    assert client.get(at(there, "people/")).status_code == 302
    # One that does not say when it began is over, too.
    client, _ = logged_in(person)
    session = client.session
    del session[sessions.BEGAN]
    session.save()
    assert client.get(at(there, "people/")).status_code == 302


def test_nobody_logs_in_to_a_session_that_somebody_else_began(person: Any) -> None:
    client = Client(headers={"host": "localhost"}, REMOTE_ADDR="203.0.113.90")
    session = client.session
    session["set"] = "by an attacker"
    session.save()
    planted = client.cookies["sessionid"].value
    client.post("/office/login/", {"username": person.username, "password": RIGHT})
    assert client.cookies["sessionid"].value != planted
    client.cookies["sessionid"] = planted
    assert client.get("/office/").status_code == 302


@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_nobody_is_led_away_by_logging_in(person: Any, where: str) -> None:
    assert logged_in(person, next=where)[1]["Location"] == "/office/"
    client, _ = logged_in(person)
    answer = client.post("/office/language/", {"language": "sv", "next": where})
    assert answer["Location"] in {"/", "/office/"}


def test_the_admin_page_has_no_door_of_its_own(person: Any) -> None:
    client = Client(headers={"host": "localhost"})
    assert client.get("/admin/login/?next=/admin/")["Location"] == "/office/login/?next=/admin/"
    assert client.post("/admin/login/", {"username": person.username, "password": RIGHT}).status_code == 405


@pytest.mark.parametrize(
    ("seen", "address", "network"),
    [
        ("198.51.100.1, 203.0.113.9", "203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:51234", "203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("\x1b[31m", "unknown", "unknown"),
        ("", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_the_proxys_word_counts_for_the_address_and_only_its_last(seen: str, address: str, network: str) -> None:
    request = RequestFactory().get("/", headers={"X-Forwarded-For": seen})
    assert addresses.address_of(request) == "127.0.0.1"
    with override_settings(USE_TLS=True):
        assert (addresses.address_of(request), addresses.network_of(request)) == (address, network)
