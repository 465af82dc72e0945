"""Stations: add, enrol, take out of order, revoke."""

from central.actions.codes import derived_token, find_enrolment_code, new_enrolment_code, token_fingerprint
from central.actions.pins import start_pin_renewal
from central.actions.tasks import finish_tasks
from central.clock import DAY_S, unix_now
from central.errors import Refused
from central.feed import change
from central.models import EnrolmentCode, OutOfOrder, Site, Station, StationToken, Task
from central.signing.blocklists import lock_site, sign_blocklist
from central.signing.records import renew_certificate, sign_certificate
from station.records.proofs import enrolment_proven

OUTLIVE_THE_STATION = (Task.Kind.RENEW_PINS, Task.Kind.WENT_BACK)
TOKEN_OVERLAP_S = DAY_S
"""How long the token before stays good, so that a station that is set up anew is not locked out half-way."""


def add_station(station: Station, site: Site) -> str:
    """Add a new station with the next free number. Returns its enrolment code, to be shown once."""
    with change():
        # Two who add one at once would get the same number: the second waits for the first.
        lock_site(site)
        last = Station.objects.filter(site=site).order_by("-number").values_list("number", flat=True).first()
        station.site, station.number = site, (last or 0) + 1
        station.save()
        return new_enrolment_code(station)


def enrol_station(shown_code: str, public_key: bytes, proof: bytes, now: int) -> tuple[Station, str]:
    """Make whoever shows the code the station that it names. Returns the station, certified, and its token.

    ``proof``: that they have the private key, by `station.records.proofs.enrolment_proof`: public keys are on every
    key in the site. The same code with the same public key gives the same token, for its 15 minutes and until that
    token is first used: the first answer may have been lost. Raises Refused: 403 ``bad_proof``, as
    `find_enrolment_code` does, and when somebody else has used the code or the station is stolen.
    """
    # Before the code is looked for: who has no key learns nothing about codes, and uses up none of their tries.
    if not enrolment_proven(shown_code, public_key, proof):
        raise Refused(403, "bad_proof", "no proof that this public key is the station's own")
    found = find_enrolment_code(shown_code, now)
    token = derived_token(shown_code, public_key)
    with change():
        # Read again inside the transaction: of two that come at once with different keys, one is too late.
        code = EnrolmentCode.objects.select_for_update().get(pk=found.pk)
        station = _locked(code.station_id)
        if code.used_at is None:
            if station.stolen:
                raise Refused(403, "bad_code", "no such code")
            _replace_token(station, token, now)
            station.status, station.last_contact = Station.Status.UP, now
            station.save(update_fields=["status", "last_contact"])
            sign_certificate(station, public_key, now)
            code.used_at, code.used_public_key = now, public_key
            code.save(update_fields=["used_at", "used_public_key"])
        elif bytes(code.used_public_key or b"") != public_key or station.stolen or not _is_unused(station, token):
            raise Refused(410, "code_spent", "this code has been used: ask for a new one")
    return station, token


def renew_station_certificate(station: Station, now: int) -> bytes:
    """Renew the certificate of the enrolled public key. Raises Refused (409 ``too_early``) before half of its life."""
    with change():
        mine = _locked(station.pk)
        renew_certificate(mine, now)
    return bytes(mine.certificate or b"")


def set_out_of_order(station: Station, by: str = "", note: str = "") -> None:
    """Send nobody there any more, however lively it is, until `set_in_order`."""
    with change():
        OutOfOrder.objects.update_or_create(station=station, defaults={"since": unix_now(), "by": by, "note": note})
        station.status = Station.Status.DOWN
        station.save(update_fields=["status"])


def set_in_order(station: Station) -> None:
    """Let its status be what its calls say, from the next look on."""
    with change():
        OutOfOrder.objects.filter(station=station).delete()
        station.status = Station.Status.UNKNOWN
        station.save(update_fields=["status"])


def set_place(station: Station, place: tuple[int, int] | None) -> None:
    """Where it is: latitude and longitude in millionths of a degree; None: nobody knows."""
    with change():
        station.latitude, station.longitude = place or (None, None)
        station.save(update_fields=["latitude", "longitude"])


def revoke_station(station: Station, by: str = "") -> Task:
    """Shut a stolen station out: its number is on the blocklist, its tokens and open codes are worth nothing at once.

    A thief has the pepper and every PIN's tag: renewing all PINs is the next step, and the task that is returned.
    Raises BlocklistFull: then nothing has changed.
    """
    with change():
        lock_site(station.site)
        station.stolen, station.status = True, Station.Status.DOWN
        station.save(update_fields=["stolen", "status"])
        station.tokens.all().delete()
        EnrolmentCode.objects.filter(station=station, used_at=None).delete()
        finish_tasks(Task.objects.filter(station=station, key=None).exclude(kind__in=OUTLIVE_THE_STATION), by)
        sign_blocklist(station.site, unix_now())
        return start_pin_renewal(station.site, by, station)


def _locked(pk: int) -> Station:
    """A station as it is now, which nobody else changes until the transaction ends."""
    return Station.objects.select_related("site", "unit").select_for_update(of=("self",), no_key=True).get(pk=pk)


def _is_unused(station: Station, token: str) -> bool:
    return station.tokens.filter(sha256=token_fingerprint(token), expires_at=None, used_at=None).exists()


def _replace_token(station: Station, token: str, now: int) -> None:
    # Two at most: one that an earlier enrolment has already set an end to goes at once.
    station.tokens.exclude(expires_at=None).delete()
    station.tokens.update(expires_at=now + TOKEN_OVERLAP_S)
    StationToken.objects.create(sha256=token_fingerprint(token), station=station, created_at=now)
