"""Which station is calling."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest
from ninja.security import HttpBearer

from central.actions.codes import token_fingerprint
from central.api.callers import caller_of
from central.clock import unix_now
from central.doors import limits
from central.doors.addresses import network_of
from central.doors.table import StationKinds, door_of
from central.errors import Refused
from central.models import Station, StationToken
from central.models.noting import note

TOKEN_LIMIT_CHARACTERS = 200
CONTACT_NOTED_EVERY_S = 60
BAD_CODE_STATUSES = frozenset({403, 410})
NO_SUCH_CODE_STATUSES = frozenset({403})


class StationAuth(HttpBearer):
    """A bearer token; only its SHA-256 is known here."""

    openapi_description = "the token of POST /enrol"

    def authenticate(self, request: HttpRequest, token: str) -> Station | None:
        """The station that the token belongs to, or None.

        Raises Refused: 429 after too many wrong ones, 403 (``forbidden``) where the call is not for this kind of it.
        """
        station = _station_of(token) if len(token) <= TOKEN_LIMIT_CHARACTERS else None
        if station is None:
            # A right token is always let in: whoever shares a guesser's address must not suffer.
            limits.require(limits.TOKEN, network_of(request))
            return None
        request.auth = station  # type: ignore[attr-defined]
        door = door_of(request.resolver_match.view_name if request.resolver_match else "")
        if door is None or not isinstance(door.who, StationKinds) or station.role not in door.who.kinds:
            raise Refused(403, "forbidden", "not for this kind of station")
        return station


@contextmanager
def counting_bad_enrolments(request: HttpRequest) -> Iterator[None]:
    """Around the use of an enrolment code: a wrong or a spent one (or a bad proof) counts for the caller's network.

    Raises Refused (429) after too many.
    """
    with limits.counting_refusals(limits.ENROL, network_of(request), BAD_CODE_STATUSES):
        yield


@contextmanager
def counting_bad_provisions(station: Station) -> Iterator[None]:
    """Around the use of a key's code: five wrong ones of this station, then it waits. Raises Refused (429)."""
    with limits.counting_refusals(limits.PROVISION, str(station.pk), NO_SUCH_CODE_STATUSES):
        yield


def token_of(request: HttpRequest) -> str:
    """The fingerprint of the token that was shown."""
    return token_fingerprint(request.headers.get("Authorization", "").partition(" ")[2])


def _station_of(token: str) -> Station | None:
    now = unix_now()
    fingerprint = token_fingerprint(token)
    found = caller_of(fingerprint, now)
    if found is None or found.station.stolen:
        return None
    if not found.is_used:
        # From now on its station has it: the code that gave it gives it to nobody any more.
        StationToken.objects.filter(sha256=fingerprint, used_at=None).update(used_at=now)
    _note_contact(found.station, now)
    return found.station


def _note_contact(station: Station, now: int) -> None:
    # At most once a minute: a poll that finds nothing writes nothing.
    if now - (station.last_contact or 0) >= CONTACT_NOTED_EVERY_S:
        note(Station, station.pk, last_contact=now)
        station.last_contact = now
