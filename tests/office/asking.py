"""Addresses and answers of the office's pages, and what a station has reported."""

import re
import time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from django.test import Client

from central.actions.events import receive_events
from central.models import Event
from central.models.events import ENTRY_TYPES


class OfficeClient(Client):
    """Sends each form with a number of its own, as a page does; ``form=`` in the data sends one again."""

    def post(self, path: Any, data: Any = None, *args: Any, **more: Any) -> Any:
        return super().post(path, {"form": uuid4().hex, **(data or {})}, *args, **more)


def at(there: SimpleNamespace, path: str) -> str:
    return f"/office/{there.number}/{path}"


def import_lines(client: Any, there: SimpleNamespace, kind: str, text: str) -> Any:
    """Import what the dry run shows."""
    form = {"kind": kind, "text": text}
    (shown,) = re.findall(r'name="apply" value="(\w+)"', words(client.post(at(there, "import/"), form)))
    return client.post(at(there, "import/"), form | {"apply": shown})


def words(answer: Any) -> str:
    """A page; 422: with a form that was not taken."""
    assert answer.status_code in (200, 422), answer
    return str(answer.content.decode())


def report(station: Any, type_: str, *, received_at: int | None = None, **fields: Any) -> None:
    """As the station would. An opening without the entry that tells of it is put into the log as it is."""
    now = int(time.time()) if received_at is None else received_at
    event = {"at": now, "clock": 0, "data": {}, "instance": uuid4(), "seq": 1, "type": type_, **fields}
    if type_ in ENTRY_TYPES:
        Event.objects.create(site=station.site, station=station, event=uuid4(), received_at=now, **event)
    else:
        told = event | {"id": str(uuid4()), "instance": str(event["instance"])}
        assert [result.status for result in receive_events(station, [told], now)] == ["accepted"]
