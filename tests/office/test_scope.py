"""Who gets to which page: every page, every role, the own and the other unit, another site."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from central.feed import change_and_sign
from central.models import Area, Holder, Membership
from tests.central.site import make_site
from tests.office.visitors import World


def test_a_unit_role_without_a_unit_is_good_for_nothing(there: SimpleNamespace, seat: Any) -> None:
    client = seat("coordinator", there.site)
    assert client.get(f"/office/{there.number}/people/").status_code == 404
    with pytest.raises(ValidationError):
        Membership(user=client.user, role="coordinator", site=there.site).full_clean()


def test_a_role_for_the_site_is_good_for_nothing_in_a_unit(there: SimpleNamespace, seat: Any) -> None:
    """It led from the first page to the site's and back, until the browser gave up."""
    answer = seat("auditor", there.site, there.one.unit).get("/office/", follow=True)
    assert answer.status_code == 403
    assert "None of your roles" in answer.content.decode()


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
    another = form | {"areas": [elsewhere.pk], "add_another": "on"}
    assert "errorlist" not in everywhere.post(path, another).content.decode()


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


def test_a_role_lends_nothing_to_another_one(there: SimpleNamespace, seat: Any) -> None:
    """Who saw every unit's tasks as on-call manager finished them as coordinator of one unit."""
    world = World(there, make_site(2, pools=True))
    client = seat("coordinator", there.site, there.one.unit)
    Membership.objects.create(user=client.user, role="on_call_manager", site=there.site)
    page = client.get(f"/office/{there.number}/today/").content.decode()
    assert f"/tasks/{there.one.task.pk}/done/" in page
    assert "Exempel 2" in page
    assert f"/tasks/{there.two.task.pk}/done/" not in page
    for part, status in ((there.one, 302), (there.two, 404), (world.elsewhere.one, 404)):
        path = f"/office/{there.number}/tasks/{part.task.pk}/done/"
        assert client.post(path).status_code == status
        part.task.refresh_from_db()
        assert (part.task.done_at is not None) == (status == 302)
    # Nor does a role at one site reach into another, where somebody has another one.
    Membership.objects.create(user=client.user, role="on_call_manager", site=world.elsewhere.site)
    assert client.post(f"/office/{world.elsewhere.number}/tasks/{world.elsewhere.one.task.pk}/done/").status_code == 403
    assert client.post(f"/office/{there.number}/keys/{there.two.keys[0].number}/take-back/").status_code == 404
    assert client.post(f"/office/{there.number}/keys/{there.two.keys[0].number}/block/").status_code == 302
