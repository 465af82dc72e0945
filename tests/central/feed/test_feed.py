"""The change feed under eight writers, and its rule that nothing is saved outside a change."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections

from central.errors import CentralError
from central.feed import change, long_poll, pages
from central.models import Area, Unit

WRITERS = 8
ROUNDS = 12


def test_a_polling_reader_misses_nothing_of_eight_writers(site: SimpleNamespace) -> Any:
    def write(writer: Any) -> None:
        try:
            for turn in range(ROUNDS):
                with change():
                    area = Area.objects.filter(site=site.site, number=100 + writer).first()
                    area = area or Area(site=site.site, number=100 + writer)
                    area.name = f"{writer}.{turn}"
                    area.save()
                    Area(site=site.site, number=1000 + writer * ROUNDS + turn, name="new").save()
                if turn % 3 == 2:
                    with change():
                        Area.objects.filter(site=site.site, number=1000 + writer * ROUNDS + turn - 1).delete()
        finally:
            connections.close_all()

    mirror: dict[tuple[str, int], int] = {}
    revisions: list[int] = []
    since = 0

    def poll(limit: Any) -> Any:
        nonlocal since
        found = pages.changes(site.site.pk, since, limit)
        for text in found.upserts:
            item = json.loads(text)
            mirror[item["type"], item["id"]] = item["revision"]
            revisions.append(item["revision"])
        for slot in found.removes:
            mirror.pop(slot, None)
        assert found.revision >= since
        since = found.revision
        return found

    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, n) for n in range(WRITERS)]
        while not all(writer.done() for writer in writers):
            poll(7)
        for writer in writers:
            writer.result()
    while (last := poll(7)).more:
        pass
    rows = json.loads(b"".join(pages.snapshot(site.site.pk)))["objects"]
    assert mirror == {(row["type"], row["id"]): row["revision"] for row in rows}
    assert last.count == len(mirror) == 8 + WRITERS + WRITERS * ROUNDS - WRITERS * (ROUNDS // 3)
    assert revisions == sorted(revisions)
    assert len(revisions) > len(mirror) - 8
    names = {row["id"]: row["name"] for row in rows if row["type"] == "area"}
    assert all(names[100 + n] == f"{n}.{ROUNDS - 1}" for n in range(WRITERS))


def test_saving_or_deleting_outside_a_change_is_refused_and_keeps_nothing(site: SimpleNamespace) -> None:
    with pytest.raises(CentralError, match="outside_change"):
        Area(site=site.site, number=9, name="Ingenstans").save()
    assert not Area.objects.filter(site=site.site, number=9).exists()
    with pytest.raises(CentralError, match="outside_change"):
        site.permission.areas.clear()
    with pytest.raises(CentralError, match="outside_change"):
        site.station.delete()
    assert Unit.objects.filter(pk=site.unit.pk).exists()


def test_a_failed_change_leaves_no_revision(site: SimpleNamespace) -> None:
    before = pages.head(site.site.pk)

    def fail() -> None:
        with change():
            site.unit.name = "Kvar"
            site.unit.save()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert pages.head(site.site.pk) == before
    with change():
        pass
    assert pages.head(site.site.pk) == before


def test_waiting_ends_with_the_wake_of_its_own_site() -> Any:
    asked = threading.Event()
    come = threading.Event()

    def has_come() -> Any:
        asked.set()
        return come.is_set()

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(long_poll.wait_until, 4711, has_come, 30, "token")
        assert asked.wait(5)
        come.set()
        long_poll.wake(4711)
        assert result.result(5) is True
    assert long_poll.wait_until(4712, lambda: False, 0, "token") is False
