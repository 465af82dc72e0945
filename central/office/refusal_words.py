"""Why a station or a lock turned a key away, in words: the codes of ``key_refused`` and of entries of keys' logs."""

from typing import Any

from django.utils.translation import gettext_lazy as _

UNFIT = _("what is on the key does not fit together: to a station, again")
WORDS: dict[str, Any] = {
    "unknown": _("unknown key"),
    "blocked": _("the key is blocked"),
    "returned": _("the key has been handed in"),
    "wrong_pin": _("wrong PIN"),
    "locked": _("locked after ten wrong PINs"),
    "holder_ended": _("the employment has ended"),
    "permit_expired": _("the permission has run out, or has not begun"),
    "outside_window": _("outside the hours"),
    "station": _("the station can only switch keys off"),
    "key_fault": _("the key did not take it"),
    "not_awake": _("the button was not pressed"),
    "clock_unset": _("the key's clock is not set"),
    "clock_behind": _("the key's clock is wrong"),
    "bad_key_record": _("the key is not of this site"),
    "not_genuine": _("the key is not genuine"),
    "not_active": _("the key was not switched on"),
    "too_long": _("the key is switched on for too long a time"),
    "not_yet_valid": _("the key was not switched on yet"),
    "expired": _("the key was no longer switched on"),
    "blocked_station": _("switched on by a station that is blocked"),
    "bad_station_certificate": UNFIT,
    "bad_activation": UNFIT,
    "bad_permit": UNFIT,
    "permit_mismatch": UNFIT,
    "wrong_key": UNFIT,
    "wrong_holder": UNFIT,
    "no_permission": _("no permission for this lock"),
    "no_permit": _("no permission"),
    "not_hourly": _("that key is for hourly staff"),
    "not_permanent": _("that key is for permanent and long-term staff"),
    "closed_unit": _("a closed unit keeps its keys and its people to itself"),
    "not_personal": _("not a personal key"),
    "other_unit": _("a key of another unit"),
    "never_synced": _("never at a station"),
    "synced_too_long_ago": _("too long ago at a station"),
}


def refusal_words(code: object) -> str:
    """The words; the code itself where there are none: engineers know what it is."""
    return str(WORDS.get(str(code), code)) if code else "–"
