"""People who have left are forgotten: a marked name is planted wherever it can get, and then nowhere in the files."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import models

from central.operations.forgetting import FREE_TEXTS, NAME_FIELDS
from central.operations.forgetting_accounts import SIGNED
from tests.central.operations.marked_names import FAMILY, GIVEN, OFFICE, USERNAME
from tests.central.served import central
from tests.central.town import Town

DAY_S = 86400
RENAME = f"""
from central.feed import change
from central.models import Holder
with change():
    holder = Holder.objects.get(number=1002)
    holder.given_name = "{GIVEN}"
    holder.save()
"""


def shell(data: Path, *code: str) -> str:
    """What some lines of Python in the server's shell print, the last line."""
    text = central("manage", "shell", "--no-imports", "-c", "\n".join(code), data=data)
    return text.splitlines()[-1] if text else ""


def dumped(data: Path) -> str:
    with sqlite3.connect(data / "central.sqlite3") as database:
        text = "\n".join(database.iterdump())
    database.close()
    return text


def named(data: Path, *marks: str) -> set[str]:
    """The tables, and the files in whose bytes, a mark stands."""
    lines = [line for line in dumped(data).splitlines() if any(mark in line for mark in marks)]
    files = [path for path in data.iterdir() if path.is_file()]
    return {line.split('"')[1] for line in lines} | {
        path.name for path in files if any(mark.encode() in path.read_bytes() for mark in marks)
    }


def days_later(data: Path, days: int) -> None:
    now = int(time.time()) + days * DAY_S
    shell(data, "from central.operations.retention import apply_retention", f"apply_retention({now})")


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Path, str]:
    """A server's folder with the marked names in it, and the marked person's number."""
    data = tmp_path / "data"
    central("seed", "--json", data=data)
    number = shell(data, "from tests.central.operations.marked_names import plant", "print(plant())")
    assert named(data, GIVEN, FAMILY) == {
        "auditlog_logentry", "central.sqlite3", "central_holder", "central_lock", "central_lookup", "central_mirrorrow",
        "central_outoforder", "django_admin_log",
    }  # fmt: skip
    assert named(data, *OFFICE, USERNAME) == {
        "auditlog_logentry", "auth_user", "central.sqlite3", "central_block", "central_lookup", "central_outoforder",
        "central_receipt", "central_task",
    }  # fmt: skip
    return data, number


async def test_a_station_has_nothing_left_of_the_name_either(town: Town) -> None:
    """Not in the free pages of its database, nor in what was written last."""
    await town.world.central.manage("shell", "--no-imports", "-c", RENAME)
    await town.catch_up()
    folder = town.world.home.folder
    assert any(GIVEN.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    await town.world.central.manage("end_holder", "1002")
    await town.catch_up()
    assert [path.name for path in folder.rglob("*") if path.is_file() and GIVEN.encode() in path.read_bytes()] == []


def test_after_the_sites_days_nobody_who_left_is_named_anywhere(planted: tuple[Path, str]) -> None:
    data, number = planted
    central("manage", "end_holder", number, data=data)
    days_later(data, 89)
    assert "central_holder" in named(data, FAMILY)
    days_later(data, 91)
    assert named(data, GIVEN, FAMILY) == set()
    # What was done is still told, under the number. And of the sample's forty, only the one who has left is forgotten.
    told = shell(
        data,
        "from auditlog.models import LogEntry",
        "from central.models import Holder, LookUp, Receipt",
        f"holder = Holder.objects.get(number={number})",
        "entries = LogEntry.objects.get_for_object(holder)",
        "print(holder, Receipt.objects.filter(holder=holder).count(), LookUp.objects.count(), entries.count() > 2)",
    )
    assert told == f"{number} 1 2 True"
    told = shell(
        data,
        "from auditlog.models import LogEntry",
        "from central.models import Holder",
        f"entry = LogEntry.objects.get_for_object(Holder.objects.get(number={number})).first()",
        "print(entry.additional_data, Holder.objects.exclude(given_name='').count())",
    )
    assert told == "{'forgotten_after_days': 90} 39"


def test_one_person_is_forgotten_by_a_command_with_a_reason(planted: tuple[Path, str]) -> None:
    data, number = planted

    def refused(reason: str) -> str:
        words = ["manage", "--data", str(data), "forget", number, "--reason", reason]
        command = subprocess.run(
            [sys.executable, "-m", "central.cli", *words], capture_output=True, text=True, check=False, timeout=60
        )
        assert command.returncode == 1
        return command.stderr

    assert "still employed" in refused("asked by letter")
    central("manage", "end_holder", number, data=data)
    assert "without the name" in refused(f"{GIVEN} asked")
    assert "central_holder" in named(data, FAMILY)
    assert "is forgotten" in central("manage", "forget", number, "--reason", "asked by letter, 3 May", data=data)
    assert named(data, GIVEN, FAMILY) == set()
    assert named(data, "asked by letter, 3 May") == {"auditlog_logentry", "central.sqlite3"}


def test_an_import_does_not_bring_a_forgotten_name_back(planted: tuple[Path, str]) -> None:
    data, number = planted
    central("manage", "end_holder", number, data=data)
    central("manage", "forget", number, "--reason", "asked by letter", data=data)
    line = f"{number},{GIVEN},{FAMILY},permanent,1,"
    told = shell(
        data,
        "from central.actions.csv_import import apply, plan",
        "from central.models import Site",
        f"text = 'number,given_name,family_name,category,unit,employment_ends\\n{line}'",
        "site = Site.objects.get(number=1)",
        "lines = plan(site, 'staff', text)",
        "print(lines[0].problem, apply(site, lines))",
    )
    assert told == "forgotten 0"
    assert named(data, GIVEN, FAMILY) == set()


def test_an_account_is_forgotten_by_a_command(planted: tuple[Path, str]) -> None:
    data, _number = planted
    said = central("manage", "forget_account", USERNAME, "--reason", "has left", data=data)
    assert named(data, *OFFICE, USERNAME) == set()
    # What they did is still told apart from what others did.
    assert {"central_receipt", "central_task", "central_block", "auth_user"} <= named(data, f"'{said.split()[3]}'")


def test_an_account_that_nobody_uses_is_forgotten_with_the_last_trace_of_it(planted: tuple[Path, str]) -> None:
    data, _number = planted
    days_later(data, 731)
    assert "auth_user" in named(data, USERNAME), "it has a role"
    mine = f"User.objects.filter(username='{USERNAME}')"
    shell(data, "from django.contrib.auth.models import User", f"{mine}.update(is_active=False)")
    days_later(data, 729)
    assert "auth_user" in named(data, USERNAME)
    days_later(data, 731)
    assert named(data, *OFFICE, USERNAME) == set()


def test_every_text_that_says_who_did_something_is_known() -> None:
    from django.apps import apps

    texts = {
        (model, field.name)
        for model in apps.get_app_config("central").get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField) and (field.name == "by" or field.name.endswith("_by"))
    }
    assert texts == {(model, name) for model, names in SIGNED.items() for name in names}


NAMES_NOBODY = {
    "AccessPeriod.opens", "Area.name", "DailyCount.type", "EnrolmentCode.ident", "EnrolmentCode.secret_hash",
    "Event.data", "Event.type", "Key.wrong_pins", "LogGaps.missing", "LoggedInFrom.network", "MirrorRow.type",
    "Permission.windows", "ProvisionCode.code_hash", "SentForm.content", "SentForm.sha256", "ServerFact.name",
    "ServerFact.value", "Site.help_texts", "Site.look_ups", "Site.name", "Site.privacy_notice", "Site.support",
    "Site.timezone", "Station.address", "Station.name", "StationHealth.config_version",
    "StationHealth.restart_reason", "StationToken.sha256", "Task.detail", "TryCount.bucket", "Undoable.before",
    "Undoable.seen", "Undoable.what", "Unit.name", "Unit.usual_windows",
}  # fmt: skip
FOLLOWS = {"MirrorRow.content"}
"""Told anew, without the name, when somebody leaves."""


def test_every_text_is_cleaned_or_names_nobody() -> None:
    """A new one goes into one of these, or somebody's name stays in it."""
    from django.apps import apps

    texts = {
        f"{model.__name__}.{field.name}"
        for model in apps.get_app_config("central").get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField | models.JSONField)
        and not field.choices
        and not model._meta.proxy
    }
    cleaned = {f"{model.__name__}.{name}" for model, (name, _) in FREE_TEXTS.items()}
    cleaned |= {f"{model.__name__}.{name}" for model, names in SIGNED.items() for name in names}
    cleaned |= {f"Holder.{name}" for name in NAME_FIELDS}
    assert texts - cleaned == NAMES_NOBODY | FOLLOWS
