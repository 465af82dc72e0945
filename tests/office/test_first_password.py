"""A password that somebody else chose or saw: its owner chooses another before anything else is read or done."""

import getpass
import html
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client, override_settings

from central.models import Key, Membership
from tests.central.site import make_site
from tests.office.asking import OfficeClient, at, words
from tests.office.test_users import user_named
from tests.office.visitors import World, rows

OWN = "one that only I know 7"
PAGE = "/office/password/"
SENTENCE = "Somebody else may know your password"


@pytest.fixture(autouse=True)
def _quick_hashes() -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture
def office(there: SimpleNamespace, seat: Any) -> Any:
    return seat("site_administrator", there.site)


@pytest.fixture
def operator(there: SimpleNamespace, seat: Any) -> Any:
    client = seat(None, there.site)
    client.user.is_staff = client.user.is_superuser = True
    client.user.save()
    return client


def shown(answer: Any) -> str:
    (password,) = re.findall(r"<code>(.+?)</code>", words(answer))
    return html.unescape(password)


def new_user(there: SimpleNamespace, office: Any, role: str = "on_call_manager") -> tuple[str, str]:
    """An account as a site administrator makes it: its name, and the password that both of them know."""
    name = f"ny-{there.number}"
    return name, shown(office.post(at(there, "users/"), {"username": name, "role": role}))


def logged_in(name: str, password: str) -> Any:
    client = OfficeClient(headers={"host": "localhost", "accept-language": "en"}, REMOTE_ADDR="203.0.113.78")
    assert client.post("/office/login/", {"username": name, "password": password}).status_code == 302
    return client


def change(client: Any, old: str, new: str = OWN) -> Any:
    return client.post(PAGE, {"old_password": old, "new_password1": new, "new_password2": new})


def is_let_in(client: Any, there: SimpleNamespace) -> bool:
    """To the first page of the office; otherwise to that of the password and nowhere else."""
    answer = client.get(at(there, ""))
    assert answer.status_code == 302
    return bool(answer["Location"] != PAGE)


def test_nothing_is_read_or_done_before_a_new_user_has_a_password_of_their_own(
    there: SimpleNamespace, office: Any
) -> None:
    name, password = new_user(there, office, "site_administrator")
    client = logged_in(name, password)
    for path in ("/", "/office/", at(there, ""), "/admin/", "/admin/password_change/"):
        for ask in (client.get, client.post):
            assert ask(path)["Location"] == PAGE, path
    for row in rows(World(there, make_site(2, pools=True))):
        for ask in (client.get, client.post):
            answer = ask(row.path)
            assert (answer.status_code, answer["Location"]) == (302, PAGE), row
    assert not Key.objects.filter(site=there.site).exclude(status="active").exists()
    assert SENTENCE in words(client.get(PAGE))
    assert change(client, password)["Location"] == "/office/"
    assert is_let_in(client, there)
    assert client.get(at(there, "people/")).status_code == 200
    assert client.post(at(there, f"keys/{there.one.keys[0].number}/block/")).status_code == 302
    assert Key.objects.get(pk=there.one.keys[0].pk).status == "blocked"
    assert SENTENCE not in words(client.get(PAGE))


def test_language_and_log_out_are_there_before(there: SimpleNamespace, office: Any) -> None:
    name, password = new_user(there, office)
    client = logged_in(name, password)
    for language, sentence in (("sv", "Någon annan"), ("da", "En anden"), ("nb", "Noen andre"), ("fi", "Joku muu")):
        assert client.post("/office/language/", {"language": language, "next": PAGE})["Location"] == PAGE
        assert sentence in words(client.get(PAGE))
    assert client.post("/office/logout/")["Location"] == "/office/login/"
    assert client.get(at(there, ""))["Location"].startswith("/office/login/")


def test_the_password_that_somebody_knows_is_not_taken_again(there: SimpleNamespace, office: Any) -> None:
    name, password = new_user(there, office)
    client = logged_in(name, password)
    for old, new in ((password, password), ("wrong", OWN), (password, "123")):
        assert "errorlist" in words(change(client, old, new))
        assert not is_let_in(client, there)
    change(client, password)
    assert is_let_in(client, there)
    # Nor is it for those who change theirs of their own accord.
    assert "the one that you have now" in words(change(client, OWN, OWN))
    assert is_let_in(client, there)


def test_a_new_password_by_the_site_administrator_is_changed_too(there: SimpleNamespace, office: Any) -> None:
    name, password = new_user(there, office)
    client = logged_in(name, password)
    change(client, password)
    again = shown(office.post(at(there, f"users/{user_named(name).pk}/password/")))
    # The session of the password before has ended; one begun with the new one leads to the page.
    assert client.get(at(there, ""))["Location"].startswith("/office/login/")
    client, other = logged_in(name, again), logged_in(name, again)
    assert not is_let_in(client, there)
    change(client, again)
    assert is_let_in(client, there)
    # Whoever else was logged in with it is out.
    assert other.get(at(there, ""))["Location"].startswith("/office/login/")


def test_passwords_set_on_the_admin_pages_are_changed_too(there: SimpleNamespace, operator: Any) -> None:
    name, given = f"av-operatoren-{there.number}", "chosen by an operator 1"
    both = {"usable_password": "true", "password1": given, "password2": given}
    assert operator.post("/admin/auth/user/add/", {"username": name, **both}).status_code == 302
    Membership.objects.create(user=user_named(name), role="auditor", site=there.site)
    client = logged_in(name, given)
    assert not is_let_in(client, there)
    change(client, given)
    assert is_let_in(client, there)
    given = "chosen by an operator 2"
    both = {"usable_password": "true", "password1": given, "password2": given}
    assert operator.post(f"/admin/auth/user/{user_named(name).pk}/password/", both).status_code == 302
    assert not is_let_in(logged_in(name, given), there)


def test_passwords_set_by_a_command_are_changed_too(
    there: SimpleNamespace, seat: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = seat("auditor", there.site).user.username
    monkeypatch.setattr(getpass, "getpass", lambda prompt: "typed at the server 1")
    call_command("changepassword", name, stdout=None)
    assert not is_let_in(logged_in(name, "typed at the server 1"), there)


def test_an_operator_s_account_that_must_change_reaches_no_admin_page(there: SimpleNamespace, operator: Any) -> None:
    colleague = f"kollega-{there.number}"
    both = {"usable_password": "true", "password1": "chosen by another 1", "password2": "chosen by another 1"}
    operator.post("/admin/auth/user/add/", {"username": colleague, **both})
    user = user_named(colleague)
    user.is_staff = user.is_superuser = True
    user.save()
    client = logged_in(colleague, "chosen by another 1")
    for path in ("/admin/", "/admin/auth/user/", f"/admin/auth/user/{user.pk}/password/"):
        for ask in (client.get, client.post):
            assert ask(path)["Location"] == PAGE
    assert user_named(colleague).check_password("chosen by another 1")
    change(client, "chosen by another 1")
    assert client.get("/admin/").status_code == 200
    # There is one page where everybody changes their own.
    assert client.get("/admin/password_change/")["Location"] == PAGE


def test_the_sample_s_own_account_and_the_first_operator_s_are_not_asked(there: SimpleNamespace, served: Any) -> None:
    sample = Client(headers={"host": "localhost"})
    sample.force_login(user_named(served.summary["admin"]["user"]))
    assert sample.get("/office/")["Location"] == "/office/1/"
    assert sample.get("/admin/").status_code == 200
    name = f"operator-{there.number}"
    get_user_model().objects.create_superuser(name, password="typed by themselves 1")
    assert logged_in(name, "typed by themselves 1").get("/admin/").status_code == 200


def test_an_operator_s_password_that_another_one_set_must_change(there: SimpleNamespace, operator: Any) -> None:
    name = f"second-operator-{there.number}"
    user = get_user_model().objects.create_superuser(name, password="typed by themselves 1")
    both = {"usable_password": "true", "password1": "chosen by another 1", "password2": "chosen by another 1"}
    operator.post(f"/admin/auth/user/{user.pk}/password/", both)
    assert logged_in(name, "chosen by another 1").get("/admin/")["Location"] == PAGE


def test_a_change_is_in_the_audit_log_without_any_password(there: SimpleNamespace, office: Any) -> None:
    name, password = new_user(there, office)
    client = logged_in(name, password)
    user = user_named(name)
    before = user.password
    change(client, password)
    again = shown(office.post(at(there, f"users/{user.pk}/password/")))
    entries = [entry for entry in LogEntry.objects.get_for_object(user) if "password" in (entry.changes or {})]
    assert [entry.actor for entry in reversed(entries)] == [office.user, user, office.user]
    told = str([entry.changes for entry in LogEntry.objects.all()])
    for secret in (password, again, OWN, before, before[-12:], user_named(name).password[-12:]):
        assert secret not in told
