"""An action is done whole or not at all, also by a process that is killed in it; from everywhere it is the same one."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

from central.actions.keys import block_key
from central.errors import CentralError
from central.feed import change, change_and_sign
from central.models import Block, Blocklist, Holder, Key, Membership, MirrorRow, PasswordToChange, Station, Task
from tests.central.site import saved
from tests.office.asking import OfficeClient

KILLED = """
import os, signal, sys
import django
django.setup()
from central.actions.keys import block_key
from central.actions.stations import revoke_station
from central.feed import news
from central.models import Key, Station

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

when, what, site = sys.argv[1:]
# Before it: revisions are given as the last statements of a transaction. After it: whoever waits is told.
if when == "before the commit":
    setattr(sys.modules["central.feed.change"], "_stamp", die)
else:
    news.hear(die)
if what == "block":
    block_key(Key.objects.get(site__number=site, number=100), "Karin")
else:
    revoke_station(Station.objects.get(site__number=site, number=1), "Karin")
"""


def killed(when: str, what: str, site: SimpleNamespace) -> None:
    """Have a process do it that is killed at that moment."""
    done = subprocess.run([sys.executable, "-c", KILLED, when, what, str(site.number)], check=False, timeout=120)
    assert done.returncode == -9


def traces(site: SimpleNamespace) -> dict[str, Any]:
    """Everything that blocking the key of the site, or revoking its station, leaves behind."""

    told = MirrorRow.objects.filter(site=site.site).values_list("content", flat=True)
    return {
        "key": Key.objects.get(pk=site.key.pk).status,
        "stolen": Station.objects.get(pk=site.station.pk).stolen,
        "version": Blocklist.objects.get(site=site.site).version,
        "blocks": list(Block.objects.filter(key__site=site.site).values_list("by", "version")),
        "tasks": [(task.kind, task.opened_by) for task in Task.objects.filter(site=site.site)],
        "told": sorted(told),
    }


@pytest.mark.parametrize("what", ["block", "revoke"])
def test_killed_before_the_commit_nothing_is_done(what: str, site: SimpleNamespace) -> None:
    before = traces(site)
    killed("before the commit", what, site)
    assert traces(site) == before


def test_killed_after_the_commit_a_key_is_blocked_with_its_trail_and_task(site: SimpleNamespace) -> None:
    before = traces(site)
    killed("after the commit", "block", site)
    after = traces(site)
    assert after["key"] == "blocked"
    assert after["version"] > before["version"]
    assert after["blocks"] == [("Karin", after["version"])]
    assert after["tasks"] == [("new_key", "Karin")]
    assert any(f'"version":{after["version"]}' in text for text in after["told"])
    assert any('"status":"blocked"' in text for text in after["told"])


def test_killed_after_the_commit_a_station_is_revoked_with_its_task(site: SimpleNamespace) -> None:
    before = traces(site)
    killed("after the commit", "revoke", site)
    after = traces(site)
    assert after["stolen"]
    assert after["version"] > before["version"]
    assert after["tasks"] == [("renew_pins", "Karin")]


def logged_in(user: Any) -> Client:
    client = OfficeClient(headers={"host": "localhost"})
    client.force_login(user)
    return client


def operator() -> Any:
    return get_user_model().objects.get(username="admin")


@pytest.mark.parametrize("way", ["office", "admin action", "admin form", "command"])
def test_a_key_is_blocked_in_the_same_way_from_everywhere(way: str, site: SimpleNamespace) -> None:
    """The list, the trail's begin and the task for a new key: the page, the admin's action and form, the command."""
    by = "admin"
    if way == "office":
        by = f"karin-{site.number}"
        karin = get_user_model().objects.create_user(by)
        PasswordToChange.objects.filter(user=karin).delete()
        Membership.objects.create(user=karin, role="site_administrator", site=site.site)
        answer = logged_in(karin).post(f"/office/{site.number}/keys/100/block/")
        assert answer.status_code == 302, answer.content
    elif way == "admin action":
        logged_in(operator()).post("/admin/central/key/", {"action": "block", "_selected_action": [site.key.pk]})
    elif way == "admin form":
        logged_in(operator()).post(f"/admin/central/key/{site.key.pk}/change/", {"status": "blocked"})
    else:
        by = ""
        call_command("block_key", 100, site=site.number)
    after = traces(site)
    assert after["key"] == "blocked"
    assert after["blocks"] == [(by, after["version"])]
    assert after["tasks"] == [("new_key", by)]


def test_a_key_that_is_found_again_is_off_the_list_and_blocked_anew_later(site: SimpleNamespace) -> None:
    client = logged_in(operator())
    versions = []
    for status in ("blocked", "active", "blocked"):
        assert client.post(f"/admin/central/key/{site.key.pk}/change/", {"status": status}).status_code == 302
        versions.append(traces(site)["version"])
    assert versions == sorted(set(versions))
    assert list(Block.objects.filter(key=site.key).values_list("open", "version")) == [
        (False, versions[0]),
        (True, versions[2]),
    ]


def test_two_blocks_keep_each_its_version(site: SimpleNamespace) -> None:
    with change_and_sign():
        second = saved(Key(site=site.site, number=7, kind=1, unit=site.unit, status="active"))
    block_key(site.key)
    block_key(second)
    block_key(site.key)
    first, later = Block.objects.filter(key__site=site.site).order_by("version")
    assert (first.key, later.key) == (site.key, second)
    assert first.version < later.version


def test_what_is_changed_without_its_signature_is_not_kept(site: SimpleNamespace) -> None:
    """Whoever writes an action and forgets to sign hears of it at once."""

    def end_without_signing() -> None:
        with change():
            site.holder.status = "ended"
            site.holder.save()

    with pytest.raises(CentralError, match="unsigned records=permit of holder 10"):
        end_without_signing()
    assert Holder.objects.get(pk=site.holder.pk).status == "active"
