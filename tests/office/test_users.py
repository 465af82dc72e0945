"""Users of a site: its administrator gives roles there, and nowhere else."""

import html
import re
from types import SimpleNamespace
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from central.models import Membership
from tests.central.site import make_site
from tests.office.asking import at, words


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("site_administrator", there.site)


def user_named(name: str) -> Any:
    return get_user_model().objects.get(username=name)


def choose(client: Any, old: str) -> None:
    """A password of their own in the place of one that somebody else has seen."""
    new = "an invented one 3"
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    assert client.post("/office/password/", form)["Location"] == "/office/"


def test_a_new_user_gets_an_account_and_works_in_their_unit(there: SimpleNamespace, office: Any) -> None:
    name = f"kim-{there.number}"
    form = {"username": name, "first_name": "Kim", "last_name": "Exempel", "role": "coordinator"}
    assert "for one unit" in words(office.post(at(there, "users/"), form))
    answer = office.post(at(there, "users/"), form | {"unit": there.one.unit.pk})
    (password,) = re.findall(r"<code>(.+?)</code>", words(answer))
    assert "no-store" in answer["Cache-Control"]
    user = user_named(name)
    assert (user.is_staff, user.is_superuser, user.get_full_name()) == (False, False, "Kim Exempel")
    client = Client(headers={"host": "localhost"})
    log_in = {"username": name, "password": html.unescape(password)}
    assert client.post("/office/login/", log_in, REMOTE_ADDR="203.0.113.77").status_code == 302
    choose(client, html.unescape(password))
    assert client.get(at(there, "people/10/")).status_code == 200
    assert client.get(at(there, "people/20/")).status_code == 404
    made = LogEntry.objects.get_for_object(user).last()
    assert made is not None
    assert made.actor == office.user
    assert password not in str([entry.changes for entry in LogEntry.objects.all()])
    assert "already" in words(office.post(at(there, "users/"), form | {"unit": there.one.unit.pk}))


def test_nobody_changes_their_own_roles(there: SimpleNamespace, office: Any) -> None:
    form = {"username": office.user.username, "role": "auditor"}
    assert "their own roles" in words(office.post(at(there, "users/"), form))
    # Nor by an account that looks like one's own.
    shouted = form | {"username": office.user.username.upper()}
    assert "their own roles" in words(office.post(at(there, "users/"), shouted))
    own = Membership.objects.get(user=office.user)
    office.post(at(there, f"users/roles/{own.pk}/take/"))
    assert Membership.objects.filter(user=office.user).count() == 1
    office.post(at(there, f"users/{office.user.pk}/shut/"))
    office.user.refresh_from_db()
    assert office.user.is_active


def test_another_sites_users_are_not_there(there: SimpleNamespace, office: Any, seat: Any) -> None:
    elsewhere = make_site(2, pools=True)
    other = seat("coordinator", elsewhere.site, elsewhere.one.unit).user
    foreign = Membership.objects.get(user=other)
    assert other.username not in words(office.get(at(there, "users/")))
    assert office.post(at(there, f"users/roles/{foreign.pk}/take/")).status_code == 404
    for act in ("password", "shut"):
        assert office.post(at(there, f"users/{other.pk}/{act}/")).status_code == 404
    form = {"username": f"x-{there.number}", "role": "coordinator", "unit": elsewhere.one.unit.pk}
    assert "errorlist" in words(office.post(at(there, "users/"), form))
    # Who gets a role here as well keeps their password, and what they are there is not shown here.
    assert office.post(at(there, "users/"), {"username": other.username, "role": "auditor"}).status_code == 302
    text = words(office.get(at(there, "users/")))
    assert other.username in text
    assert "Coordinator</option>" in text
    assert "Coordinator, Norr" not in text
    before = user_named(other.username).password
    for act in ("password", "shut"):
        office.post(at(there, f"users/{other.pk}/{act}/"))
    after = user_named(other.username)
    assert (after.password, after.is_active) == (before, True)


@pytest.mark.parametrize("flag", ["is_staff", "is_superuser"])
def test_the_operators_accounts_are_not_touched(there: SimpleNamespace, office: Any, seat: Any, flag: str) -> None:
    operator = seat("system_administrator", there.site).user
    setattr(operator, flag, True)
    operator.save()
    office.post(at(there, f"users/{operator.pk}/shut/"))
    office.post(at(there, f"users/{operator.pk}/password/"))
    assert (user_named(operator.username).is_active, user_named(operator.username).password) == (
        True,
        operator.password,
    )


def test_a_role_is_taken_and_an_account_shut(there: SimpleNamespace, office: Any, seat: Any) -> None:
    client = seat("coordinator", there.site, there.one.unit)
    assert client.get(at(there, "people/")).status_code == 200
    (password,) = re.findall(r"<code>(.+?)</code>", words(office.post(at(there, f"users/{client.user.pk}/password/"))))
    assert user_named(client.user.username).check_password(html.unescape(password))
    # Their session ended with the old password.
    assert client.get(at(there, "people/")).status_code == 302
    client.force_login(user_named(client.user.username))
    choose(client, html.unescape(password))
    assert client.get(at(there, "people/")).status_code == 200
    office.post(at(there, f"users/{client.user.pk}/shut/"))
    assert client.get(at(there, "people/")).status_code == 302
    office.post(at(there, f"users/{client.user.pk}/shut/"))
    assert user_named(client.user.username).is_active
    client.force_login(user_named(client.user.username))
    office.post(at(there, f"users/roles/{Membership.objects.get(user=client.user).pk}/take/"))
    assert client.get(at(there, "people/")).status_code == 404


def test_the_admin_page_is_the_operators_alone(there: SimpleNamespace, seat: Any) -> None:
    client = seat("site_administrator", there.site)
    client.user.is_staff = True
    client.user.save()
    client.user.user_permissions.set(Permission.objects.all())
    for page in ("", "central/holder/", "central/membership/", "auth/user/"):
        assert client.get(f"/admin/{page}").status_code == 302, page
