"""POST /events."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from central.api.auth import StationAuth
from central.api.calls import answers, caller, head_cursor
from central.api.compressed import json_answer
from central.api.schemas import EventResult, EventsIn, EventsOut
from central.clock import unix_now
from central.events.taking_in import take_in

router = Router(auth=StationAuth())


@router.post("/events", response=answers(400, 401, 413, 429, ok=EventsOut))
def events(request: HttpRequest, body: EventsIn) -> HttpResponse:
    """Keep what a station reports, each event once. What is answered as accepted is on the disk."""
    station = caller(request)
    results = take_in(station, body.events, unix_now())
    answer = EventsOut(
        results=[EventResult(id=r.id, status=r.status, reason=r.reason) for r in results],
        cursor=head_cursor(station),
    )
    # Compressed: the answer to a hundred events is as long as they were.
    return json_answer(request, answer.model_dump_json(exclude_none=True).encode())
