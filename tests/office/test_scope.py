"""Who gets to which page: every page, every role, the own and the other unit, another site."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from central.feed import change_and_sign
from central.models import Area, Holder, Membership, Role, TryCount
from central.office.roles import TABLE, Right
from central.office.urls import urlpatterns
from tests.central.site import make_site

ROLES = {
    "site_administrator": False, "section_manager": True, "coordinator": True, "staffing_administrator": False,
    "provider_key_manager": True, "on_call_manager": False, "auditor": False, "system_administrator": False,
}  # fmt: skip
"""Role, and whether it is for one unit."""


def pages() -> Any:
    return [pattern for pattern in urlpatterns if "<int:site>" in str(pattern.pattern) and pattern.name != "home"]


def address(pattern: Any, site: int, number: int) -> str:
    path = str(pattern.pattern).replace("<int:site>", str(site))
    return "/office/" + path.replace("<int:number>", str(number)).replace("<int:pk>", str(number))


def call(client: Any, pattern: Any, path: str) -> int:
    # Whoever tries many addresses of other sites is slowed down; here it is about what they would get.
    TryCount.objects.all().delete()
    posted = getattr(pattern.callback, "posted", False)
    return int((client.post(path) if posted else client.get(path)).status_code)


def member_of(site: Any) -> Any:
    """Somebody with a role at that site and no other."""

    user, _ = get_user_model().objects.get_or_create(username=f"somebody-{site.number}")
    return Membership.objects.get_or_create(user=user, role="auditor", site=site)[0]


def number_of(pattern: Any, part: Any) -> int:
    if "users/" in str(pattern.pattern):
        member = member_of(part.station.site)
        return int(member.pk if pattern.name == "take_role" else member.user_id)
    if "keys/" in str(pattern.pattern):
        return int(part.keys[1].number)
    return int(part.station.number if "stations/" in str(pattern.pattern) else part.hourly.number)


def test_every_page_below_a_site_says_its_act(there: SimpleNamespace) -> None:
    assert len(pages()) > 25
    assert all(isinstance(pattern.callback.right, Right) for pattern in pages())
    assert {pattern.callback.right for pattern in pages()} == set(Right)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_what_the_table_says_at_its_site_only(role: str, there: SimpleNamespace, seat: Any) -> None:
    elsewhere = make_site(2, pools=True)
    client = seat(role, there.site, there.one.unit if ROLES[role] else None)
    acts = TABLE[Role(role)]
    for pattern in pages():
        allowed = pattern.callback.right in acts
        answer = call(client, pattern, address(pattern, there.number, number_of(pattern, there.one)))
        assert (answer == 403) is not allowed, (pattern.name, answer)
        assert answer in ({200, 302} if allowed else {403}), (pattern.name, answer)
        assert call(client, pattern, address(pattern, elsewhere.number, number_of(pattern, elsewhere.one))) == 404


@pytest.mark.parametrize("role", [role for role, of_a_unit in ROLES.items() if of_a_unit])
def test_another_unit_does_not_exist_for_a_unit_role(role: str, there: SimpleNamespace, seat: Any) -> None:
    client = seat(role, there.site, there.one.unit)
    tried = 0
    for pattern in pages():
        if "<int:number>" in str(pattern.pattern) and pattern.callback.right in TABLE[Role(role)]:
            tried += 1
            path = address(pattern, there.number, number_of(pattern, there.two))
            assert call(client, pattern, path) == 404, pattern.name
    assert tried
    for path in ("people", "keys", "today", "pools"):
        text = client.get(f"/office/{there.number}/{path}/").content.decode()
        assert "Test 2" not in text
        assert "/keys/201/" not in text


def test_a_unit_role_without_a_unit_is_good_for_nothing(there: SimpleNamespace, seat: Any) -> None:
    client = seat("coordinator", there.site)
    assert client.get(f"/office/{there.number}/people/").status_code == 404
    with pytest.raises(ValidationError):
        Membership(user=client.user, role="coordinator", site=there.site).full_clean()


def test_staffing_reaches_hourly_staff_and_substitute_keys_only(there: SimpleNamespace, seat: Any) -> None:
    client = seat("staffing_administrator", there.site)
    at = f"/office/{there.number}"
    assert client.post(f"{at}/people/{there.one.hourly.number}/pin/").status_code == 200
    assert client.post(f"{at}/people/{there.one.own.number}/pin/").status_code == 404
    assert client.post(f"{at}/keys/{there.one.keys[0].number}/block/").status_code == 404
    assert client.post(f"{at}/keys/{there.one.keys[2].number}/block/").status_code == 404
    assert client.post(f"{at}/keys/{there.one.keys[1].number}/block/").status_code == 302


def test_nobody_gets_in_without_a_login_or_a_role(there: SimpleNamespace, seat: Any) -> None:
    stranger = Client(headers={"host": "localhost"})
    for pattern in pages():
        path = address(pattern, there.number, number_of(pattern, there.one))
        answer = stranger.post(path) if getattr(pattern.callback, "posted", False) else stranger.get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/office/login/")
        assert call(seat(None, there.site), pattern, path) == 404
    assert "no role" in seat(None, there.site).get("/office/").content.decode()


def test_acts_are_posted_with_a_token(there: SimpleNamespace, seat: Any) -> None:
    client = seat("site_administrator", there.site)
    careful = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    careful.force_login(client.user)
    path = f"/office/{there.number}/keys/{there.one.keys[0].number}/block/"
    assert careful.post(path).status_code == 403
    assert client.get(path).status_code == 405


def test_groups_follow_memberships(there: SimpleNamespace, seat: Any) -> None:
    user = seat("auditor", there.site).user
    assert [group.name for group in user.groups.all()] == ["office: auditor"]
    Membership.objects.filter(user=user).first().delete()  # type: ignore[union-attr]
    assert not user.groups.exists()


def test_what_is_about_the_whole_site_is_not_given_for_a_unit(there: SimpleNamespace, seat: Any) -> None:
    for role, path in (("auditor", "log"), ("site_administrator", "import"), ("system_administrator", "import")):
        assert seat(role, there.site).get(f"/office/{there.number}/{path}/").status_code == 200
        assert seat(role, there.site, there.one.unit).get(f"/office/{there.number}/{path}/").status_code == 403


def test_a_unit_gives_only_areas_that_it_has(there: SimpleNamespace, seat: Any) -> None:
    with change_and_sign():
        elsewhere = Area(site=there.site, number=9, name="Annanstans")
        elsewhere.save()
    form = {"given_name": "Ulla", "family_name": "Utanför", "unit": there.one.unit.pk, "category": 0}
    path = f"/office/{there.number}/people/employee/"
    manager = seat("provider_key_manager", there.site, there.one.unit)
    assert "errorlist" in manager.post(path, form | {"areas": [elsewhere.pk]}).content.decode()
    assert not Holder.objects.filter(site=there.site, given_name="Ulla").exists()
    assert "errorlist" not in manager.post(path, form | {"areas": [there.area.pk]}).content.decode()
    everywhere = seat("site_administrator", there.site)
    assert "errorlist" not in everywhere.post(path, form | {"areas": [elsewhere.pk]}).content.decode()


def test_roles_are_given_by_a_command(there: SimpleNamespace, seat: Any) -> None:
    client = seat(None, there.site)
    name, here = client.user.username, {"site": there.number}
    with pytest.raises(CommandError):
        call_command("give_role", name, "coordinator", **here)
    with pytest.raises(CommandError):
        call_command("give_role", "nobody", "auditor", **here)
    call_command("give_role", name, "coordinator", unit=1, **here)
    assert client.get(f"/office/{there.number}/people/10/").status_code == 200
    assert client.get(f"/office/{there.number}/people/20/").status_code == 404


def test_everybody_changes_their_own_password(there: SimpleNamespace, seat: Any) -> None:
    client = seat("coordinator", there.site, there.one.unit)
    client.user.set_password("an invented one 1")
    client.user.save()
    client.force_login(client.user)
    new = {"new_password1": "an invented one 2", "new_password2": "an invented one 2"}
    assert client.get("/office/password/").status_code == 200
    assert client.post("/office/password/", {"old_password": "wrong", **new}).status_code == 200
    assert client.post("/office/password/", {"old_password": "an invented one 1", **new}).status_code == 302
    client.user.refresh_from_db()
    assert client.user.check_password("an invented one 2")
