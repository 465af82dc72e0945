"""Which station is calling."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import Q
from django.http import HttpRequest
from ninja.security import HttpBearer

from central.actions.codes import token_fingerprint
from central.clock import unix_now
from central.errors import Refused
from central.models import Station, StationToken
from central.security import address_of, attempts

TOKEN_LIMIT_CHARACTERS = 200
CONTACT_NOTED_EVERY_S = 60
BAD_CODE_STATUSES = frozenset({403, 410})


class StationAuth(HttpBearer):
    """A bearer token; only its SHA-256 is known here."""

    openapi_description = "the token of POST /enrol"

    def authenticate(self, request: HttpRequest, token: str) -> Station | None:
        """The station that the token belongs to, or None. Raises Refused (429) when there were too many wrong ones."""
        station = _station_of(token) if len(token) <= TOKEN_LIMIT_CHARACTERS else None
        if station is None:
            # A right token is always let in: whoever shares a guesser's address must not suffer.
            _refuse_too_many(request)
            attempts.failed(address_of(request))
        return station


def _refuse_too_many(request: HttpRequest) -> None:
    """Raise Refused (429) when this client has failed too often of late."""
    wait_s = attempts.wait_s(address_of(request))
    if wait_s:
        raise Refused(429, "too_many_tries", "too many failed attempts: wait", {"Retry-After": str(wait_s)})


@contextmanager
def counting_bad_codes(request: HttpRequest) -> Iterator[None]:
    """Around the use of a one-time code: a wrong or a spent one is a failed attempt.

    Raises Refused (429) after too many.
    """
    _refuse_too_many(request)
    try:
        yield
    except Refused as error:
        if error.status in BAD_CODE_STATUSES:
            attempts.failed(address_of(request))
        raise


def _station_of(token: str) -> Station | None:
    now = unix_now()
    found = (
        StationToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), sha256=token_fingerprint(token))
        .select_related("station__site", "station__unit")
        .first()
    )
    if found is None or found.station.stolen:
        return None
    if found.used_at is None:
        # From now on its station has it: the code that gave it gives it to nobody any more.
        StationToken.objects.filter(pk=found.pk, used_at=None).update(used_at=now)
    _note_contact(found.station, now)
    return found.station


def _note_contact(station: Station, now: int) -> None:
    # At most once a minute: a poll that finds nothing writes nothing.
    if now - (station.last_contact or 0) >= CONTACT_NOTED_EVERY_S:
        Station.objects.filter(pk=station.pk).update(last_contact=now)
        station.last_contact = now
