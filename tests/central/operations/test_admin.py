"""The admin page: saves tell stations, secrets are shown once, everything is in the audit log."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.test import Client

from central.feed import change_and_sign
from central.feed.cursors import newest_revision
from central.models import Blocklist, Unit
from tests.central.served import Served
from tests.central.site import saved, told_since


@pytest.fixture
def admin(served: Served) -> Any:
    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model().objects.get(username="admin"))
    return client


def act(admin: Any, model: Any, action: Any, pk: Any) -> Any:
    return admin.post(f"/admin/central/{model}/", {"action": action, "_selected_action": [pk]})


def test_every_page_opens(admin: Any, site: SimpleNamespace) -> None:
    for model in ("site", "unit", "area", "lock", "holder", "station", "key"):
        assert admin.get(f"/admin/central/{model}/").status_code == 200, model
    for model, one in (("holder", site.holder), ("key", site.key), ("station", site.station), ("site", site.site)):
        assert admin.get(f"/admin/central/{model}/{one.pk}/change/").status_code == 200, model
    assert admin.get("/admin/", headers={"accept-language": "sv"}).content.decode().count("Logga ut")


def test_the_pages_need_a_login(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    assert Client(headers={"host": "localhost"}).get("/admin/central/key/").status_code == 302
    assert Client(headers={"host": "evil.example"}).get("/admin/").status_code == 400
    assert caplog.records == []


def test_a_saved_form_tells_stations(admin: Any, site: SimpleNamespace) -> None:
    before = newest_revision(site.site.pk)
    form = {"name": "Nya Norr", "closed": "on", "emergency_keys_wanted": "3", "usual_windows": "[]"}
    answer = admin.post(f"/admin/central/unit/{site.unit.pk}/change/", form)
    assert answer.status_code == 302, answer.content
    (text,) = told_since(site.site, before)
    assert '"name":"Nya Norr","closed":true' in text
    assert LogEntry.objects.get_for_object(site.unit).filter(actor__username="admin").exists()


def test_another_unit_takes_the_key_along(admin: Any, site: SimpleNamespace) -> None:
    with change_and_sign():
        other = saved(Unit(site=site.site, number=77, name="Annanstans"))
    form = {
        "given_name": "Eva", "family_name": "Exempel", "category": "0", "unit": str(other.pk), "status": "active",
        "permissions-TOTAL_FORMS": "0", "permissions-INITIAL_FORMS": "0",
    }  # fmt: skip
    answer = admin.post(f"/admin/central/holder/{site.holder.pk}/change/", form)
    assert answer.status_code == 302, answer.content
    site.holder.refresh_from_db()
    site.key.refresh_from_db()
    assert (site.holder.unit, site.key.unit) == (other, other)


def test_block_and_unlock(admin: Any, site: SimpleNamespace) -> None:
    with change_and_sign():
        site.key.locked_at = 4_000_000_000
        site.key.save()
    assert act(admin, "key", "unlock", site.key.pk).status_code == 302
    site.key.refresh_from_db()
    assert not site.key.is_locked
    version = Blocklist.objects.get(site=site.site).version
    assert act(admin, "key", "block", site.key.pk).status_code == 302
    assert Blocklist.objects.get(site=site.site).version > version


def test_codes_and_pins_are_shown_once_and_not_kept(admin: Any, site: SimpleNamespace) -> None:
    page = act(admin, "station", "give_enrolment_code", site.station.pk)
    assert re.search(r"<code>[0-9A-Z]{4}-[0-9A-Z]{10}</code>", page.content.decode())
    assert "no-store" in page["Cache-Control"]
    assert "messages" not in page.cookies
    assert "<code>" in act(admin, "key", "give_provision_code", site.key.pk).content.decode()
    tag = bytes(site.holder.pin_tag)
    page = act(admin, "holder", "give_new_pin", site.holder.pk)
    (pin,) = re.findall(r"<code>(\d{6})</code>", page.content.decode())
    site.holder.refresh_from_db()
    assert bytes(site.holder.pin_tag) != tag
    assert not any(pin in str(entry.changes) for entry in LogEntry.objects.get_for_object(site.holder))


def test_a_time_zone_is_one(site: SimpleNamespace) -> None:
    """By another the scheduler would fail for everybody's last day, and the site's pages, too."""
    for zone in ("Europe/Stokholm", "Europe", "../etc", ""):
        site.site.timezone = zone
        with pytest.raises(ValidationError, match="timezone"):
            site.site.full_clean()
    site.site.timezone = "Europe/Oslo"
    site.site.full_clean()
