"""Which station is calling."""

import hashlib

from django.db.models import Q
from django.http import HttpRequest
from ninja.security import HttpBearer

from central.clock import unix_now
from central.models import Station, StationToken

TOKEN_LIMIT_CHARACTERS = 200
CONTACT_NOTED_EVERY_S = 60


class StationAuth(HttpBearer):
    """A bearer token; only its SHA-256 is known here."""

    openapi_description = "the token of POST /enrol"

    def authenticate(self, request: HttpRequest, token: str) -> Station | None:
        """The station that the token belongs to, or None."""
        if len(token) > TOKEN_LIMIT_CHARACTERS:
            return None
        now = unix_now()
        found = (
            StationToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), sha256=fingerprint(token))
            .select_related("station__site", "station__unit")
            .first()
        )
        if found is None or found.station.stolen:
            return None
        _note_contact(found.station, now)
        return found.station


def fingerprint(token: str) -> str:
    """What the server keeps of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _note_contact(station: Station, now: int) -> None:
    # At most once a minute: a poll that finds nothing writes nothing.
    if now - (station.last_contact or 0) >= CONTACT_NOTED_EVERY_S:
        Station.objects.filter(pk=station.pk).update(last_contact=now)
        station.last_contact = now
