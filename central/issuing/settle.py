"""At the end of each change: records follow what was changed."""

from central.feed.change import Change, settlers
from central.issuing import blocklists, keyring, keys, permits
from central.models import Holder, Key, Permission, Site, Station, Watched


def connect() -> None:
    """Have every change settled. Once for a process."""
    if settle not in settlers:
        settlers.append(settle)


def settle(change: Change, now: int) -> None:
    """Sign what the touched objects ask for: a site's keys, key records, permits, blocklists."""
    touched = list(change.touched.values())
    for instance in touched:
        match instance:
            case Site():
                keyring.prepare(instance)
            case Key() if instance.record is None and instance.status != Key.Status.BLANK:
                keys.sign_record(instance, now)
                instance.save(update_fields=["record"])
            case Station() if instance.stolen:
                instance.tokens.all().delete()
            case _:
                pass
    # Read again: what was touched may have been loaded before somebody else's change.
    for holder in Holder.objects.filter(pk__in=_holders(touched)).select_related("site"):
        permits.bring_in_line(holder, now)
    for site in Site.objects.filter(pk__in=_sites([*touched, *change.gone_watched])):
        blocklists.bring_in_line(site, now)


def _holders(touched: list[Watched]) -> set[int]:
    """Whose permits may have to follow."""
    permissions = {i.holder_id for i in touched if isinstance(i, Permission)}
    return permissions | {i.pk for i in touched if isinstance(i, Holder)}


def _sites(touched: list[Watched]) -> set[int]:
    """Whose blocklist may have to follow."""
    own = {i.site_id for i in touched if isinstance(i, Key | Station)}
    return own | {i.pk for i in touched if isinstance(i, Site)}
