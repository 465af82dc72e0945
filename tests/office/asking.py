"""Addresses and answers of the office's pages, and what a station has reported."""

import time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from django.test import Client

from central.models import Event


class OfficeClient(Client):
    """Sends each form with a number of its own, as a page does; ``form=`` in the data sends one again."""

    def post(self, path: Any, data: Any = None, *args: Any, **more: Any) -> Any:
        return super().post(path, {"form": uuid4().hex, **(data or {})}, *args, **more)


def at(there: SimpleNamespace, path: str) -> str:
    return f"/office/{there.number}/{path}"


def words(answer: Any) -> str:
    """A page; 422: with a form that was not taken."""
    assert answer.status_code in (200, 422), answer
    return str(answer.content.decode())


def report(station: Any, type_: str, **fields: Any) -> None:
    now = int(time.time())
    rest = {"at": now, "received_at": now, "clock": 0, "data": {}, "instance": uuid4(), "seq": 1, **fields}
    Event.objects.create(site=station.site, station=station, event=uuid4(), type=type_, **rest)
