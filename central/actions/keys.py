"""Keys: block, unlock, find, take back, hand out, replace. Pool keys are lent in ``pool_keys``.

How a blank key is made at a station is in ``hand_out``.
"""

from datetime import date

from central.actions.audit_notes import noting
from central.actions.hand_out import new_provision_code
from central.actions.pool_keys import NotThere, lend_key, take_back_lent
from central.actions.tasks import finish_tasks, make_receipt, open_new_key_task
from central.clock import unix_now
from central.feed import change
from central.models import Block, Holder, Key, Receipt, Site, Task
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
    """Take a key out of use: no station switches it on until it is handed out anew.

    Returns the return receipt; None for a key that was nobody's.
    """
    with change():
        lock_site(key.site)
        lent = take_back_lent(key, by)
        _set_status(key, Key.Status.RETURNED, unix_now())
        _end_block(key)
        finish_tasks(Task.objects.filter(key=key, kind=Task.Kind.COLLECT_KEY), by)
        return make_receipt(Receipt.Kind.RETURNED, key.holder, key, by) if key.holder else lent


def hand_out_again(key: Key, holder: Holder | None, by: str = "") -> Receipt | None:
    """Hand out a key that was handed in, under its own number: to this person, or without one into its pool again.

    Its record is signed anew: any station writes it to the key at the next insertion, without a code. What was open
    about the key and whoever had it before ends. Returns the receipt to sign. Raises NotThere for one that is not (any
    more) to be handed out.
    """
    with change():
        fresh = Key.objects.select_for_update(of=("self",), no_key=True).get(pk=key.pk)
        if fresh.status != Key.Status.RETURNED or fresh.broken:
            raise NotThere("not_there", key=key.number)
        now = unix_now()
        key.status, key.broken, key.holder = Key.Status.ACTIVE, False, holder
        key.unit = holder.unit if holder is not None else key.unit
        # Wrong PINs and renewals were somebody else's.
        key.wrong_pins, key.activated_at = [], None
        if key.is_locked:
            key.unlocked_at = max(now, (key.locked_at or 0) + 1)
        key.save()
        sign_key_record(key, now)
        finish_tasks(Task.objects.filter(key=key), by)
        if holder is None:
            return None
        finish_tasks(Task.objects.filter(holder=holder, kind=Task.Kind.NEW_KEY), by)
        # Not later than what is noted of the key: what was before it is no business of whoever has the key now.
        return make_receipt(Receipt.Kind.HANDED_OUT, holder, key, by, at=now)


def found_key(key: Key, reason: str, by: str = "") -> None:
    """A lost key has been found: it is in use again, and its holder needs no new one. The audit log keeps why."""
    with noting(reason=reason):
        reopen_key(key, Key.Status.ACTIVE, by)


def has_another(key: Key) -> bool:
    """Whether its holder has left, or has another key in use: then a lost one that is found is handed in."""
    if key.holder is None:
        return False
    others = Key.objects.filter(holder=key.holder, status__in=(Key.Status.ACTIVE, Key.Status.BLANK))
    return key.holder.status != Holder.Status.ACTIVE or others.exclude(pk=key.pk).exists()


def break_key(key: Key, by: str = "") -> None:
    """A key does not work: out of use until it is mended. It is not on the blocklist: nobody else has it.

    One that is blocked, because it was lost as well, stays so.
    """
    with change():
        take_back_lent(key, by)
        if key.status != Key.Status.BLOCKED:
            key.broken = True
            key.save(update_fields=["broken"])
            _set_status(key, Key.Status.RETURNED, unix_now())
        if key.holder is not None and key.holder.status == Holder.Status.ACTIVE:
            open_new_key_task(key.holder, by)


def mend_key(key: Key) -> None:
    """A broken key works again: it may be handed out."""
    with change():
        key.broken = False
        key.save(update_fields=["broken"])


def note_battery(key: Key, day: date) -> None:
    """Note when the battery of a key was last replaced."""
    with change():
        key.battery_replaced = day
        key.save(update_fields=["battery_replaced"])


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
        now = unix_now()
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
        return key, make_receipt(Receipt.Kind.HANDED_OUT, holder, key, by, at=now), new_provision_code(key)


def replace_broken_key(key: Key, emergency: Key, by: str = "") -> Receipt:
    """Lend an emergency key to the holder of a broken or lost one; a new key tomorrow is a task. Returns the receipt.

    Raises NotThere where somebody else has just got that emergency key: then nothing has changed.
    """
    assert key.holder is not None
    with change():
        break_key(key, by)
        # The event of the holder's PIN at a station is the second receipt.
        return lend_key(emergency, key.holder, by)


def _set_status(key: Key, status: Key.Status, now: int) -> None:
    key.status = status
    # What is in use works.
    key.broken = key.broken and status != Key.Status.ACTIVE
    key.save(update_fields=["status", "broken"])
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
