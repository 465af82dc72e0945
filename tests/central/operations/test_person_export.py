"""What a person is told who asks: everything but secrets, whatever model names them."""

import json
import stat
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.apps import apps
from django.contrib.auth import get_user_model

from central.actions import keys, people
from central.feed import change_and_sign
from central.models import Holder, Key, LookUp, Permit, Task
from central.models.base import Watched
from central.operations.person_export import LEFT_OUT, TOLD, export_person
from tests.central.key_logs import entry_event
from tests.central.served import Caller, Served, central
from tests.central.site import saved


def test_whatever_names_a_person_or_a_key_is_exported_or_left_out_for_a_reason(served: Served) -> None:
    models = apps.get_models(include_auto_created=True)
    theirs: set[Any] = {Holder, Key}
    naming: set[str] = set()
    # Also what belongs to something that is theirs, however far.
    while theirs != (theirs := theirs | {model for model in models if _names(model, theirs)}):
        pass
    for model in models:
        naming |= {f"{model.__name__}.{name}" for name in _names(model, theirs)}
    assert naming == set(TOLD) | set(LEFT_OUT)
    assert not set(TOLD) & set(LEFT_OUT)


def _names(model: Any, theirs: set[Any]) -> list[str]:
    """The fields of a model that name one of theirs; or by number a person, a key, or whatever there is."""
    fields = [field for field in model._meta.get_fields() if getattr(field, "concrete", False)]
    numbers: tuple[str, ...] = ("holder", "key", "holder_number", "key_number")
    if model.__module__.startswith("central.") and not issubclass(model, Watched):
        numbers += ("number",)
    return [f.name for f in fields if not f.many_to_many and (f.related_model in theirs or f.name in numbers)]


def test_each_of_them_is_there(site: SimpleNamespace, enrolled: Caller) -> None:
    enrolled.reported(
        entry_event(seq=3),
        {"type": "key_activated", "key": 100, "holder": 10, "data": {"expires": 2**40}},
        {"type": "pin_rejected", "key": 100},
    )
    with change_and_sign():
        pool = saved(Key(site=site.site, number=101, kind=2, unit=site.unit, status="active"))
        other = saved(Key(site=site.site, number=109, kind=2, unit=site.unit, status="active"))
    enrolled.reported({"type": "pool_key_taken", "key": 101, "holder": 10, "clock": "unknown"})
    enrolled.reported({"type": "pool_key_taken", "key": 109, "holder": 11})
    keys.give_new_key(site.holder, "Karin Kordinator")
    keys.block_key(site.key, "Karin Kordinator")
    LookUp.objects.create(site=site.site, at=1, about="holder", number=10, since=0, until=1, reason="complaint 7")
    told = export_person(Holder.objects.get(pk=site.holder.pk), "asked by letter")
    assert [name for name in set(TOLD.values()) if not told[name]] == []
    (own,) = (key for key in told["keys"] if key["number"] == 100)
    assert (own["status"], own["missing_of_its_log"], len(own["wrong_pins"])) == ("blocked", [], 1)
    assert [each["key"] for each in told["pool_keys"]] == [pool.number]
    assert other.number not in [event["key"] for event in told["events"]]
    assert [(each["key"], each["holder"]) for each in told["activations"]] == [(100, 10)]
    assert [(each["key"], each["open"]) for each in told["blocks"]] == [(100, True)]
    json.dumps(told)


@pytest.mark.slow
def test_a_person_is_told_everything_but_secrets(
    served: Served, site: SimpleNamespace, enrolled: Caller, tmp_path: Path
) -> None:
    enrolled.reported(
        entry_event(), entry_event(seq=2, holder=None, outcome="expired"), {"type": "key_synced", "key": 99}
    )
    # Whoever has a key and a cable writes any time into its log.
    enrolled.reported(entry_event(seq=3, at=2**53 - 1))
    file = tmp_path / "person.json"

    permit = bytes(Permit.objects.get(holder=site.holder).record)
    keys.give_new_key(holder := Holder.objects.get(pk=site.holder.pk), "Karin Kordinator")
    people.end_employment(holder, "Karin Kordinator", None)
    auditor = get_user_model().objects.get(username="admin")
    LookUp.objects.create(
        site=site.site,
        user=auditor,
        at=1_790_000_000,
        about="holder",
        number=10,
        since=0,
        until=1,
        reason="complaint 7",
    )
    LookUp.objects.create(
        site=site.site, user=auditor, at=int(time.time()), about="lock", number=10, since=0, until=1, reason="another"
    )
    words = ("manage", "export_person", "10", "--site", str(site.site.number), "--reason", "asked by letter")
    central(*words, "--output", str(file), data=served.data)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    told = json.loads(text)
    assert told["person"]["given_name"] == "Eva"
    assert [event["type"] for event in told["events"]] == ["lock_opened", "lock_refused", "lock_opened"]
    assert [(key["number"], key["status"]) for key in told["keys"]] == [(100, "active"), (101, "blank")]
    assert [(each["kind"], each["made_by"]) for each in told["receipts"]] == [("handed_out", "Karin Kordinator")]
    assert [(each["kind"], each["key"]) for each in told["tasks"]] == [("collect_key", 100)]
    assert [(each["by"], each["reason"]) for each in told["looked_up"]] == [("admin", "complaint 7")]
    assert {"holder", "permission", "key"} <= {each["about"] for each in told["changes"]}
    assert Task.objects.filter(holder=holder).exists()
    assert told["permissions"][0]["areas"] == ["Backen"]
    for secret in (bytes(holder.pin_tag), permit):
        assert secret.hex() not in text
    noted = LogEntry.objects.get_for_object(holder).filter(action=LogEntry.Action.ACCESS).get()
    assert noted.additional_data == {"export": True, "reason": "asked by letter"}
    assert "0 events" in central("manage", "retention", data=served.data)
