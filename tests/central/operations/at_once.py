"""One of several processes that act at once: it says ``"ready"``, waits for a line, acts, and says what came of it.

``python at_once.py ACT``, in the environment of a central server.
"""

import json
import math
import sys
import time

import django

django.setup()

from central.actions import keys, stations  # noqa: E402
from central.actions.hand_out import hand_out_key, new_provision_code  # noqa: E402
from central.actions.renewals import due_permits, sign_all_anew  # noqa: E402
from central.clock import unix_now  # noqa: E402
from central.errors import Refused  # noqa: E402
from central.feed import change_and_sign  # noqa: E402
from central.models import Area, Holder, Key, Permission, Permit, Site, Station, Unit  # noqa: E402
from central.operations.alone import Alone, Work  # noqa: E402
from central.operations.scheduler import renew_permits  # noqa: E402

PERMITS = 300
ROUNDS = 25


def prepare() -> object:
    """A site with many permits, all of them due."""
    with change_and_sign():
        site = Site(number=700, name="Storby")
        site.save()
        unit, area = Unit(site=site, number=1, name="Norr"), Area(site=site, number=2, name="Backen")
        unit.save()
        area.save()
        Station(site=site, number=1, name="Entré", unit=unit).save()
        for number in range(10, 10 + PERMITS):
            holder = Holder(
                site=site, number=number, given_name="Eva", family_name=f"Exempel {number}", category=0, unit=unit
            )
            holder.save()
            permission = Permission(holder=holder, every_area=True)
            permission.save()
    Permit.objects.filter(holder__site=site).update(renew_at=1)
    return {str(permit.pk): permit.revision for permit in Permit.objects.filter(holder__site=site)}


def renew() -> object:
    """Renew what is due until nothing is; how many were signed here."""
    count = 0
    while due_permits(unix_now()).permits:
        count += renew_permits(unix_now(), math.inf, lambda _: None).signed
    return count


def sign_all() -> object:
    """Sign everything of the site anew."""
    return sign_all_anew(Site.objects.get(number=700), unix_now(), only_old=False)


def add_stations() -> object:
    """Add stations; their numbers."""
    site = Site.objects.get(number=700)
    unit = Unit.objects.get(site=site)
    made = [Station(name="Ny", unit=unit) for _ in range(ROUNDS)]
    for station in made:
        stations.add_station(station, site)
    return [station.number for station in made]


def _key() -> Key:
    holder = Holder.objects.get(site__number=700, number=10)
    return Key.objects.filter(site__number=700, holder=holder).first() or keys.give_new_key(holder)[0]


def block() -> object:
    """Block a key again and again, and take it back."""
    for _ in range(ROUNDS):
        keys.block_key(_key())
        keys.set_key_status(_key(), Key.Status.ACTIVE)
    return None


def hand_out() -> object:
    """Hand the same key out again and again."""
    station = Station.objects.get(site__number=700, number=1)
    refused = 0
    for _ in range(ROUNDS):
        try:
            hand_out_key(new_provision_code(_key()), station, unix_now())
        except Refused as error:
            refused += error.code == "code_spent"
    return refused


def schedule() -> object:
    """Have the scheduler's work until killed."""
    turn = Alone(Work.SCHEDULER)
    until = time.monotonic() + 60
    while not turn.take() and time.monotonic() < until:
        time.sleep(0.05)
    _say({"held": turn.is_held()})
    sys.stdin.readline()
    return turn.is_held()


def try_to_schedule() -> object:
    """Whether it is free, and again."""
    return Alone(Work.SCHEDULER).take()


def _say(what: object) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201


ACTS = {act.__name__: act for act in (
    prepare, renew, sign_all, add_stations, block, hand_out, schedule, try_to_schedule,
)}  # fmt: skip

if __name__ == "__main__":
    act = ACTS[sys.argv[1]]
    Site.objects.exists()
    _say("ready")
    sys.stdin.readline()
    _say(act())
