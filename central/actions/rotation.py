"""Changing a site's central key in three steps, without a station, key or lock losing service in between.

`announce`: the next key exists, signed by the one before it; both are believed, the old one still signs. `resign`: the
next one signs from now on, and everything that was signed is signed anew. `retire`: only the new one is believed.
Each step may be repeated: it goes on where it was interrupted.
"""

from dataclasses import dataclass

from django.db.models import QuerySet

from central import datafolder
from central.actions.renewals import sign_all_anew
from central.errors import CentralError
from central.feed import change
from central.models import CentralKey, Key, MirrorRow, ProvisionCode, Site, Station
from central.signing import keyring
from central.signing.blocklists import sign_blocklist_anew
from station.records import claims
from station.records.envelope import sign, verified
from station.records.keys import SigningKey

NAMED = 20
"""So many stations or keys are named in a refusal; `rotation_state` has them all."""


@dataclass(frozen=True)
class RotationState:
    """Where a rotation is, and what would lose service if the next step were taken now."""

    step: str
    """``none``, ``announced`` or ``resigned``."""
    stations: tuple[int, ...] = ()
    """Numbers of stations that do not know the newest announcement, or whose certificate is by the old key."""
    keys: tuple[int, ...] = ()
    """Numbers of keys in use that still carry the old key's record, as far as stations have told."""
    all_stations: int = 0
    all_keys: int = 0
    """How many there are: enrolled stations, keys in use."""

    @property
    def is_safe(self) -> bool:
        """Whether the next step costs nobody service."""
        return not self.stations and not self.keys


def rotation_state(site: Site) -> RotationState:
    """Find which step the site's rotation has reached, and what stands in the way of the next."""
    newest = CentralKey.objects.filter(site=site, listed=True).order_by("-number").first()
    if newest is None:
        return RotationState("none")
    counts = _enrolled(site).count(), _in_use(site).count()
    if newest.number > site.signing_key:
        return RotationState("announced", _unaware(site, newest), (), *counts)
    behind = {*_unaware(site, newest), *_old_certificates(site)}
    return RotationState("resigned", tuple(sorted(behind)), _old_keys(site), *counts)


def announce(site: Site, now: int) -> None:
    """Make the next key and have the present one name it. Raises CentralError (``rotation``) in the middle of one."""
    if rotation_state(site).step == "resigned":
        raise CentralError("rotation", site=site.number, reason="retire the old key first")
    number = site.signing_key + 1
    seed = datafolder.keep_secret(keyring.key_file(site, number), SigningKey.generate().seed())
    with change():
        if not CentralKey.objects.filter(site=site, number=number).exists():
            named = claims.CentralKey(issued=now, public_key=SigningKey(seed).public, version=max(number, now))
            CentralKey(site=site, number=number, record=sign(named, keyring.signing_key(site)), listed=False).save()
        # Those before it too: a station that slept through a whole rotation finds its way from the key that it knows.
        for each in CentralKey.objects.filter(site=site, listed=False):
            each.listed = True
            each.save(update_fields=["listed"])


def resign(site: Site, now: int, *, force: bool = False) -> int:
    """Sign with the next key from now on, and sign everything anew. Returns how many records.

    Raises CentralError (``rotation``) when none is announced, or stations do not know it yet, unless ``force``.
    """
    at = rotation_state(site)
    if at.step == "none":
        raise CentralError("rotation", site=site.number, reason="announce the next key first")
    if at.step == "announced":
        if at.stations and not force:
            raise CentralError("rotation", site=site.number, not_told=_list(at.stations))
        with change():
            site.signing_key += 1
            site.public_key = keyring.signing_key(site).public
            site.save(update_fields=["signing_key", "public_key"])
            sign_blocklist_anew(site, now)
    return sign_all_anew(site, now, only_old=True)


def retire(site: Site, *, force: bool = False) -> None:
    """Have stations believe the new key alone, and destroy the old one.

    Raises CentralError (``rotation``) before `resign`, and while keys in use carry their old record or stations have
    their old certificate (`rotation_state` names them), unless ``force``: they would lose service.
    """
    at = rotation_state(site)
    if at.step != "resigned":
        raise CentralError("rotation", site=site.number, reason="sign everything anew first")
    if not at.is_safe and not force:
        raise CentralError("rotation", site=site.number, stations=_list(at.stations), keys=_list(at.keys))
    with change():
        for each in CentralKey.objects.filter(site=site, listed=True):
            each.listed = False
            each.save(update_fields=["listed"])
    datafolder.destroy_secret(keyring.key_file(site, site.signing_key - 1))


def _unaware(site: Site, announcement: CentralKey) -> tuple[int, ...]:
    row = MirrorRow.objects.get(site=site, type=CentralKey.MIRROR_TYPE, number=announcement.number)
    behind = _enrolled(site).exclude(health__revision__gte=row.revision)
    return tuple(behind.exclude(role=Station.Role.ACTIVATION_BOX).values_list("number", flat=True))


def _old_certificates(site: Site) -> tuple[int, ...]:
    mine = [keyring.signing_key(site).public]
    return tuple(
        station.number
        for station in _enrolled(site)
        if verified(claims.StationCertificate, bytes(station.certificate or b""), mine) is None
    )


def _old_keys(site: Site) -> tuple[int, ...]:
    """Keys in use that no station has given their new record, as far as its reports tell."""
    mine = [keyring.signing_key(site).public]
    # A record that a station has fetched with a one-time code is on its key.
    used = ProvisionCode.objects.filter(key__site=site, used_at__isnull=False).order_by("used_at")
    fetched = dict(used.values_list("key", "used_at"))
    old = []
    for key in _in_use(site):
        record = verified(claims.KeyRecord, bytes(key.record or b""), mine)
        if record is None or max(key.record_carried or 0, fetched.get(key.pk) or 0) < record.issued:
            old.append(key.number)
    return tuple(old)


def _in_use(site: Site) -> QuerySet[Key]:
    return Key.objects.filter(site=site, status=Key.Status.ACTIVE, record__isnull=False)


def _enrolled(site: Site) -> QuerySet[Station]:
    return Station.objects.filter(site=site, stolen=False, tokens__isnull=False).distinct().order_by("number")


def _list(numbers: tuple[int, ...]) -> str:
    shown = ",".join(map(str, numbers[:NAMED]))
    return f"{shown},… ({len(numbers)} in all)" if len(numbers) > NAMED else shown or "-"
