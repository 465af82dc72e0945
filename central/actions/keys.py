"""Keys: block, unlock, give out, take back, replace, lend. How one is made at a station is in ``hand_out``."""

from central.actions.hand_out import new_provision_code
from central.actions.tasks import finish_tasks, make_receipt, open_new_key_task
from central.clock import unix_now
from central.feed import change
from central.models import Block, Holder, Key, Receipt, Site, Task, Unit
from central.models.base import MAX_UINT32
from central.signing.blocklists import lock_site, sign_blocklist
from central.signing.records import sign_key_record

FIRST_NUMBER = 1


def block_key(key: Key, by: str = "") -> None:
    """Block a key that is lost or stolen: no station switches it on, and its number is on the list that keys carry.

    Its holder is to get a new one: that is a task. Raises BlocklistFull: then nothing has changed.
    """
    with change():
        now = unix_now()
        lock_site(key.site)
        _set_status(key, Key.Status.BLOCKED, now)
        blocklist = sign_blocklist(key.site, now)
        # Blocked twice: the first time is when it began to spread.
        Block.objects.get_or_create(key=key, open=True, defaults={"at": now, "by": by, "version": blocklist.version})
        if key.holder is not None and key.holder.status == Holder.Status.ACTIVE:
            open_new_key_task(key.holder, by)


def unlock_key(key: Key) -> None:
    """Unlock a key that ten wrong PINs locked: stations count from zero again."""
    with change():
        # Always a new time, so that a station that locked it itself sees it.
        key.unlocked_at = max(unix_now(), (key.unlocked_at or 0) + 1, (key.locked_at or 0) + 1)
        key.wrong_pins = []
        key.save(update_fields=["unlocked_at", "wrong_pins"])


def take_back_key(key: Key, by: str = "") -> Receipt | None:
    """Take a key back for good: no station switches it on until it is handed out anew.

    Returns the return receipt; None for a key that was nobody's.
    """
    with change():
        lock_site(key.site)
        _set_status(key, Key.Status.RETURNED, unix_now())
        _end_block(key)
        finish_tasks(Task.objects.filter(key=key, kind=Task.Kind.COLLECT_KEY), by)
        return make_receipt(Receipt.Kind.RETURNED, key.holder, key, by) if key.holder else None


def set_key_status(key: Key, status: Key.Status, by: str = "") -> None:
    """Set a key's status by hand. Blocking and taking back are `block_key` and `take_back_key`; others end a block."""
    match status:
        case Key.Status.BLOCKED:
            block_key(key, by)
        case Key.Status.RETURNED:
            take_back_key(key, by)
        case _:
            with change():
                lock_site(key.site)
                _set_status(key, status, unix_now())
                _end_block(key)


def reopen_key(key: Key, status: Key.Status, by: str = "") -> None:
    """A blocked key is again what it was: it has been found, or was blocked by mistake. Its holder needs no new one."""
    with change():
        _set_status(key, status, unix_now())
        _end_block(key)
        if key.holder is not None:
            finish_tasks(Task.objects.filter(holder=key.holder, kind=Task.Kind.NEW_KEY), by)


def give_new_key(holder: Holder, by: str = "", number: int | None = None) -> tuple[Key, Receipt, str]:
    """Give a holder a key of their own. Returns it, the receipt to sign, and the code that makes a blank key this one.

    Without ``number``: the blank one that waits for them already, else the next free number.
    """
    with change():
        waiting = Key.objects.filter(holder=holder, status=Key.Status.BLANK).first() if number is None else None
        key = waiting or Key(
            site=holder.site,
            number=number or _free_number(holder.site),
            kind=Key.Kind.PERSONAL,
            unit=holder.unit,
            holder=holder,
        )
        key.save()
        finish_tasks(Task.objects.filter(holder=holder, kind=Task.Kind.NEW_KEY), by)
        return key, make_receipt(Receipt.Kind.HANDED_OUT, holder, key, by), new_provision_code(key)


def replace_broken_key(key: Key, emergency: Key, by: str = "") -> Receipt:
    """Lend an emergency key to the holder of a broken or lost one; a new key tomorrow is a task. Returns the receipt.

    The broken key is out of use, and not on the blocklist: nobody else has it. A lost one that is blocked stays so.
    """
    assert key.holder is not None
    with change():
        if key.status == Key.Status.ACTIVE:
            _set_status(key, Key.Status.RETURNED, unix_now())
        open_new_key_task(key.holder, by)
        # The event of the holder's PIN at a station is the second receipt.
        return make_receipt(Receipt.Kind.LENT, key.holder, emergency, by)


def lendable_keys(unit: Unit) -> list[Key]:
    """The emergency keys that somebody of this unit may get, the unit's own first."""
    emergency = Key.objects.filter(site=unit.site_id, kind=Key.Kind.EMERGENCY, status=Key.Status.ACTIVE)
    fitting = [
        key
        for key in emergency.select_related("unit")
        if key.unit_id == unit.pk or not (unit.closed or key.unit.closed)
    ]
    return sorted(fitting, key=lambda key: (key.unit_id != unit.pk, key.number))


def _set_status(key: Key, status: Key.Status, now: int) -> None:
    key.status = status
    key.save(update_fields=["status"])
    # A blank key becomes known to stations by any other status.
    if key.record is None and status != Key.Status.BLANK:
        sign_key_record(key, now)


def _end_block(key: Key) -> None:
    """Take a key that has been found off the blocklist, if it was on it."""
    sign_blocklist(key.site, unix_now())
    Block.objects.filter(key=key, open=True).update(open=False)


def _free_number(site: Site) -> int:
    """The number after the highest one of the site. Inside a change."""
    # Two who ask at once would get the same one: the second waits for the first.
    lock_site(site)
    highest = Key.objects.filter(site=site).order_by("-number").values_list("number", flat=True).first()
    return min((highest or FIRST_NUMBER - 1) + 1, MAX_UINT32)
