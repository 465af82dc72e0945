"""Users of a site: its administrator gives roles there, and nowhere else."""

import html
import re
from types import SimpleNamespace
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client

from central.actions.users import give_role
from central.models import AccountOfSite, Membership
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


def test_a_name_that_is_none_is_refused_at_its_field(there: SimpleNamespace, office: Any) -> None:
    form = {"username": "Eva\u202e", "role": "coordinator", "unit": there.one.unit.pk}
    assert "Enter a valid username" in words(office.post(at(there, "users/"), form))


def test_whoever_is_shut_out_is_not_let_in_by_a_second_click(there: SimpleNamespace, office: Any) -> None:
    user = give_role("leaves", ("", ""), "coordinator", there.site, there.one.unit).member.user
    for shut, is_active in (("1", False), ("1", False), ("", True)):
        assert office.post(at(there, f"users/{user.pk}/shut/"), {"shut": shut}).status_code == 302
        user.refresh_from_db()
        assert user.is_active is is_active


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
    # Nor does this site take in an account that another one made, and may know the password of.
    text = words(office.post(at(there, "users/"), {"username": other.username, "role": "on_call_manager"}))
    assert "not of this site" in text
    assert not Membership.objects.filter(user=other, site=there.site).exists()


def test_who_works_at_two_sites_is_seated_by_the_operator_with_a_new_password(
    there: SimpleNamespace, office: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """An account that one site's administrator made, and may be logged in to, read another site's log."""
    elsewhere = make_site()
    name = f"mol-{there.number}"
    answer = office.post(at(there, "users/"), {"username": name, "role": "on_call_manager"})
    (password,) = re.findall(r"<code>(.+?)</code>", words(answer))
    puppet = Client(headers={"host": "localhost"}, REMOTE_ADDR="203.0.113.77")
    puppet.post("/office/login/", {"username": name, "password": html.unescape(password)})
    choose(puppet, html.unescape(password))
    assert puppet.get(at(there, "people/")).status_code == 200
    call_command("give_role", name, "auditor", site=elsewhere.number)
    assert puppet.get(at(elsewhere, "log/")).status_code == 302
    assert not user_named(name).check_password("an invented one 3")
    told = capsys.readouterr().out.split()[-1]
    assert user_named(name).check_password(told)
    # And it is out of the first site's hands.
    for act in ("password", "shut"):
        office.post(at(there, f"users/{user_named(name).pk}/{act}/"))
    assert (user_named(name).check_password(told), user_named(name).is_active) == (True, True)


def test_no_site_administrator_makes_or_touches_an_auditor(
    there: SimpleNamespace, office: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A site administrator made an auditor, or gave one a new password, and read the log through them."""
    name = f"rev-{there.number}"
    assert "errorlist" in words(office.post(at(there, "users/"), {"username": name, "role": "auditor"}))
    with pytest.raises(ValidationError):
        give_role(name, ("", ""), "auditor", there.site, None)
    assert not get_user_model().objects.filter(username=name).exists()
    office.post(at(there, "users/"), {"username": name, "role": "on_call_manager"})
    call_command("give_role", name, "auditor", site=there.number)
    told = capsys.readouterr().out.split()[-1]
    auditor = user_named(name)
    member = Membership.objects.get(user=auditor, role="auditor")
    office.post(at(there, f"users/roles/{member.pk}/take/"))
    for act in ("password", "shut"):
        office.post(at(there, f"users/{auditor.pk}/{act}/"))
    assert Membership.objects.filter(pk=member.pk).exists()
    assert (user_named(name).check_password(told), user_named(name).is_active) == (True, True)


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
    AccountOfSite.objects.create(user=client.user, site=there.site)
    assert client.get(at(there, "people/")).status_code == 200
    (password,) = re.findall(r"<code>(.+?)</code>", words(office.post(at(there, f"users/{client.user.pk}/password/"))))
    assert user_named(client.user.username).check_password(html.unescape(password))
    # Their session ended with the old password.
    assert client.get(at(there, "people/")).status_code == 302
    client.force_login(user_named(client.user.username))
    choose(client, html.unescape(password))
    assert client.get(at(there, "people/")).status_code == 200
    office.post(at(there, f"users/{client.user.pk}/shut/"), {"shut": "1"})
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
        assert client.get(f"/admin/{page}").status_code == 403, page
