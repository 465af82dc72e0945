"""Changing a site's central key in four steps, without a station, key or lock losing service in between.

`begin`: the next key exists, and the one before it names it: stations believe both. `sign_anew`: the next one signs
records, and all that there are anew; stations renew their certificates and rewrite keys, while the old one still signs
heads and the time. `make_current`: the next one signs those too; from then on stations believe nothing else by a site's
first key. `retire`: the old one verifies nothing any more, and is destroyed; only the chain leads over it. Each step
may be repeated: it goes on where it was interrupted.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import QuerySet

from central.actions.renewals import sign_all_anew
from central.errors import CentralError
from central.feed import change
from central.models import CentralKey, Key, MirrorRow, ProvisionCode, Site, Station, Task
from central.signing import keyring
from central.signing.blocklists import sign_blocklist_anew
from station.records import claims
from station.records.envelope import claimed, sign, verified
from station.records.keys import SigningKey

NAMED = 20
"""So many stations or keys are named in a refusal; `rotation_state` has them all."""


class Step(StrEnum):
    """The last step that was taken."""

    NONE = "none"
    BEGUN = "begun"
    SIGNED = "signed"
    CURRENT = "current"


@dataclass(frozen=True)
class RotationState:
    """Where a rotation is, and what would lose service if the next step were taken now."""

    step: Step
    stations: tuple[int, ...] = ()
    """Numbers of stations that do not know of the last step, or whose certificate is by the old key."""
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
    link = CentralKey.objects.filter(site=site).order_by("-number").first()
    if link is None or link.number == site.retired_key:
        return RotationState(Step.NONE)
    counts = _enrolled(site).count(), _in_use(site).count()
    if link.number == site.signing_key:
        return RotationState(Step.BEGUN, _unaware(site, link), (), *counts)
    step = Step.SIGNED if link.number == site.current_key else Step.CURRENT
    behind = {*_unaware(site, link), *_old_certificates(site)}
    return RotationState(step, tuple(sorted(behind)), _old_keys(site), *counts)


def begin(site: Site, now: int) -> None:
    """Make the next key and have the newest one name it. Raises CentralError (``rotation``) in the middle of one."""
    with change():
        # Begun on two machines at once: the second finds what the first has done.
        site = Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        at = rotation_state(site)
        if at.step not in {Step.NONE, Step.BEGUN}:
            raise CentralError("rotation", site=site.number, reason="retire the old key first")
        if at.step == Step.BEGUN:
            return
        new = SigningKey.generate()
        keyring.keep_signing_key(site, site.signing_key + 1, new)
        link = CentralKey.objects.filter(site=site).order_by("-number").first()
        before = claimed(claims.CentralKey, None if link is None else bytes(link.record))
        version = now if before is None else max(before.version + 1, now)
        named = claims.CentralKey(issued=now, public_key=new.public, version=version)
        record = sign(named, keyring.signing_key(site))
        CentralKey(site=site, number=site.signing_key, public_key=named.public_key, record=record).save()


def sign_anew(site: Site, now: int, *, force: bool = False) -> int:
    """Sign records with the next key from now on, and all that there are anew. Returns how many records.

    Raises CentralError (``rotation``) when none is begun, or stations do not know it yet, unless ``force``; and while
    somebody has to decide about what a restored server opens again: a key that is told anew is open at every station.
    """
    at = rotation_state(site)
    if at.step not in {Step.BEGUN, Step.SIGNED}:
        raise CentralError("rotation", site=site.number, reason="begin with the next key first")
    undecided = Task.objects.filter(site=site, kind=Task.Kind.WENT_BACK, done_at=None).count()
    if undecided and not force:
        reason = "decide first, in the office, about what the restored server opens again"
        raise CentralError("rotation", site=site.number, tasks=undecided, reason=reason)
    if at.step == Step.BEGUN:
        _refuse_unsafe(site, at, force=force)
        with change():
            site.signing_key += 1
            site.save(update_fields=["signing_key"])
            sign_blocklist_anew(site, now)
    return sign_all_anew(site, now, only_old=True)


def make_current(site: Site, *, force: bool = False) -> None:
    """Sign heads and the time with the next key as well.

    Raises CentralError (``rotation``) before `sign_anew`, and while keys in use carry their old record or stations have
    their old certificate (`rotation_state` names them), unless ``force``: they would lose service.
    """
    at = rotation_state(site)
    if at.step not in {Step.SIGNED, Step.CURRENT}:
        raise CentralError("rotation", site=site.number, reason="sign everything anew first")
    if at.step == Step.SIGNED:
        _refuse_unsafe(site, at, force=force)
        with change():
            site.current_key = site.signing_key
            site.save(update_fields=["current_key"])
            _tell_statuses(site)


def retire(site: Site, *, force: bool = False) -> None:
    """Have the old key verify nothing any more, and destroy it.

    Raises CentralError (``rotation``) before `make_current`, and while stations have not heard of that or something
    still carries what the old one signed, unless ``force``.
    """
    at = rotation_state(site)
    if at.step != Step.CURRENT:
        raise CentralError("rotation", site=site.number, reason="make the next key current first")
    _refuse_unsafe(site, at, force=force)
    old = site.current_key - 1
    with change():
        site.retired_key = old
        site.save(update_fields=["retired_key"])
        _tell_statuses(site)
        keyring.destroy_signing_key(site, old)


def _tell_statuses(site: Site) -> None:
    for link in CentralKey.objects.filter(site=site):
        link.save()


def _refuse_unsafe(site: Site, at: RotationState, *, force: bool) -> None:
    if not at.is_safe and not force:
        raise CentralError("rotation", site=site.number, stations=_list(at.stations), keys=_list(at.keys))


def _unaware(site: Site, link: CentralKey) -> tuple[int, ...]:
    """Stations that have not asked since they were told of the link, or of its status."""
    row = MirrorRow.objects.get(site=site, type=CentralKey.MIRROR_TYPE, number=link.number)
    return tuple(_enrolled(site).exclude(health__revision__gte=row.revision).values_list("number", flat=True))


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
