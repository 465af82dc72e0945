"""Addresses and answers of the office's pages, and what a station has reported."""

import time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from central.models import Event


def at(there: SimpleNamespace, path: str) -> str:
    return f"/office/{there.number}/{path}"


def words(answer: Any) -> str:
    assert answer.status_code == 200, answer
    return str(answer.content.decode())


def report(station: Any, type_: str, **fields: Any) -> None:
    now = int(time.time())
    rest = {"at": now, "received_at": now, "clock": 0, "data": {}, "instance": uuid4(), "seq": 1, **fields}
    Event.objects.create(site=station.site, station=station, event=uuid4(), type=type_, **rest)
