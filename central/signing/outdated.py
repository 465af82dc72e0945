"""Finds and signs whatever no longer says what the database says: key records, permits, blocklists, a site's key."""

from collections.abc import Iterable

from central.models import Holder, Key, Permission, Site, Station, TemporaryAccess, Watched
from central.signing.blocklists import is_up_to_date, sign_blocklist
from central.signing.keyring import prepare_site
from central.signing.permits import sign_permits_of
from central.signing.records import sign_key_record


def sign_outdated(saved: Iterable[Watched], deleted: Iterable[Watched], now: int) -> list[str]:
    """Sign what saving and deleting these things has made outdated. Returns the names of what was signed.

    Inside a change. Raises BlocklistFull, CentralError (``signing_key``).
    """
    # A list of its own: what is signed is saved, too.
    saved = list(saved)
    things = [*saved, *deleted]
    if not things:
        return []
    signed = [f"key of site {site}" for site in saved if isinstance(site, Site) and prepare_site(site, now)]
    for key in saved:
        if isinstance(key, Key) and key.record is None and key.status != Key.Status.BLANK:
            sign_key_record(key, now)
            signed.append(f"record of key {key}")
    # Read again: what was saved may have been loaded before somebody else's change.
    if holders := _holders(things):
        signed += [f"permit of holder {number}" for number in sign_permits_of(holders, now)]
    for site in Site.objects.filter(pk__in=_sites(things)).order_by("pk"):
        if not is_up_to_date(site):
            sign_blocklist(site, now)
            signed.append(f"blocklist of site {site.number}")
    return signed


def _holders(things: list[Watched]) -> set[int]:
    """The holders whose permits these things are about."""
    permissions = {thing.holder_id for thing in things if isinstance(thing, Permission)}
    permissions |= {thing.permission.holder_id for thing in things if isinstance(thing, TemporaryAccess)}
    return permissions | {thing.pk for thing in things if isinstance(thing, Holder)}


def _sites(things: list[Watched]) -> set[int]:
    """The sites whose blocklists these things are about."""
    own = {thing.site_id for thing in things if isinstance(thing, Key | Station)}
    return own | {thing.pk for thing in things if isinstance(thing, Site)}
