"""The change feed under eight writers, and its rule that nothing is saved outside a change."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections

from central.errors import CentralError
from central.feed import change
from central.feed.cursors import newest_revision
from central.models import Area, Unit
from tests.central.feed.feed_follower import Follower

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

    follower = Follower(site.site.pk)
    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, n) for n in range(WRITERS)]
        while not all(writer.done() for writer in writers):
            follower.poll()
        for writer in writers:
            writer.result()
    follower.catch_up()
    assert follower.is_whole()
    assert len(follower.objects) == 8 + WRITERS + WRITERS * ROUNDS - WRITERS * (ROUNDS // 3)
    assert len(follower.revisions) > len(follower.objects) - 8
    assert all(follower.objects["area", 100 + n]["name"] == f"{n}.{ROUNDS - 1}" for n in range(WRITERS))


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
    before = newest_revision(site.site.pk)

    def fail() -> None:
        with change():
            site.unit.name = "Kvar"
            site.unit.save()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert newest_revision(site.site.pk) == before
    with change():
        pass
    assert newest_revision(site.site.pk) == before
