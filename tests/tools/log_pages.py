"""What pages and look-ups cost when the log is long. Run by `test_long_log.py` with `DATABASE_URL`; or by hand:

DATABASE_URL=… python -m tests.tools.log_pages 50000000
"""

import json
import re
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

import tests.central.django_ready  # noqa: F401  (before models are imported)
from central.actions.event_months import make_months_ahead
from central.actions.events import receive_events
from central.actions.look_ups import note_look_up
from central.clock import DAY_S, unix_now
from central.models import Event, Holder, Key, LookUp, Membership, PasswordToChange, Site, Station
from central.operations.database import bring_up_to_date
from central.operations.event_retention import delete_old_events
from central.operations.person_export import export_person
from tests.central.key_logs import entry_event
from tools.load.log import fill_log

DAYS = 90
UNITS, STATIONS, LOCKS, HOLDERS, POOL = 40, 300, 24_000, 30_000, 2_000
ROWS = """
    INSERT INTO central_unit (site_id, number, name, closed, emergency_keys_wanted, usual_every_area, usual_windows)
    SELECT %(site)s, n, 'Enhet ' || n, false, 3, false, '[]' FROM generate_series(1, %(units)s) n;
    INSERT INTO central_area (site_id, number, name) SELECT %(site)s, n, 'Backen ' || n FROM generate_series(1, 100) n;
    INSERT INTO central_lock (site_id, number, area_id, unit_id, note)
    SELECT %(site)s, 1000 + n, area.id, NULL, '' FROM generate_series(1, %(locks)s) n
    JOIN central_area area ON area.number = 1 + n %% 100 AND area.site_id = %(site)s;
    INSERT INTO central_station (site_id, number, name, address, unit_id, role, status, stolen)
    SELECT %(site)s, n, 'Station ' || n, '', unit.id, 0, 'up', false FROM generate_series(1, %(stations)s) n
    JOIN central_unit unit ON unit.number = 1 + n %% %(units)s AND unit.site_id = %(site)s;
    INSERT INTO central_holder
        (site_id, number, given_name, family_name, category, unit_id, status, language, note, pin_tag)
    SELECT %(site)s, 10 + n, 'Eva', 'Exempel ' || n, 0, unit.id, 'active', '', '', decode(md5(n::text), 'hex')
    FROM generate_series(1, %(holders)s) n
    JOIN central_unit unit ON unit.number = 1 + n %% %(units)s AND unit.site_id = %(site)s;
    INSERT INTO central_key (site_id, number, kind, unit_id, holder_id, status, wrong_pins, broken)
    SELECT %(site)s, 5000 + n, CASE WHEN holder.id IS NULL THEN 1 + n %% 2 ELSE 0 END, unit.id, holder.id, 'active',
           '[]', false
    FROM generate_series(1, %(holders)s + %(pool)s) n
    JOIN central_unit unit ON unit.number = 1 + n %% %(units)s AND unit.site_id = %(site)s
    LEFT JOIN central_holder holder ON holder.number = 10 + n AND holder.site_id = %(site)s;
    ANALYZE
"""


def large_site() -> Site:
    site = Site.objects.filter(number=1).first()
    if site is None:
        from central.feed import change_and_sign

        with change_and_sign():
            site = Site(number=1, name="Storby")
            site.save()
        numbers = {"units": UNITS, "stations": STATIONS, "locks": LOCKS, "holders": HOLDERS, "pool": POOL}
        with connection.cursor() as cursor:
            for statement in ROWS.split(";"):
                cursor.execute(statement, {"site": site.pk} | numbers)
    return site


def measured(site: Site, now: int) -> dict[str, float]:
    """Milliseconds of each, the best of three."""
    user, _ = get_user_model().objects.get_or_create(username="karin")
    for role in ("site_administrator", "auditor"):
        Membership.objects.get_or_create(user=user, role=role, site=site)
    PasswordToChange.objects.filter(user=user).delete()
    client = Client(headers={"host": "localhost"})
    client.force_login(user)

    def page(path: str) -> Callable[[], Any]:
        def ask() -> None:
            answer = client.get(f"/office/1/{path}")
            assert answer.status_code == 200, (path, answer)

        return ask

    def look_up(about: str, number: int) -> Callable[[], Any]:
        asked = note_look_up(
            site, now, LookUp.Cause.OTHER, user=user, about=about, number=number, since=now - 30 * DAY_S, until=now,
            reason="Complaint 81, invented",
        )  # fmt: skip
        return page(f"log/?look_up={asked.pk}")

    own = Key.objects.filter(site=site, kind=0).values("number")
    opening = Event.objects.filter(site=site, type="lock_opened", received_at__gte=now - DAY_S, key__in=own).first()
    assert opening is not None
    lock, number, person = opening.lock or 0, opening.key or 0, opening.holder or 0
    holder = Holder.objects.get(site=site, number=person)
    return {
        "today": best(page("today/")),
        "pools": best(page("pools/")),
        "who opened a lock in 30 days": best(look_up("lock", lock)),
        "what a key opened in 30 days": best(look_up("key", number)),
        "what somebody opened in 30 days": best(look_up("holder", person)),
        "manage events, a key's": best(lambda: first_lines(site, key=number)),
        "manage events, the first 500": best(lambda: first_lines(site)),
        "export of a person": best(lambda: export_person(holder, "asked by letter")),
        "a batch of 12 events": best(lambda: batch(site, 12), 20),
        "a batch of 100 events": best(lambda: batch(site, 100), 10),
    }


def best(act: Callable[[], Any], times: int = 3) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        took.append(time.perf_counter() - began)
    return round(min(took) * 1000, 1)


def first_lines(site: Site, key: int | None = None) -> None:
    from itertools import islice

    from central.operations.management.commands.events import BATCH, Told

    events = Event.objects.kept(site, unix_now())
    if key is not None:
        events = events.filter(key=key)
    assert list(islice(Told(events).news(), BATCH))


_seq = iter(range(10**9, 2 * 10**9))


def batch(site: Site, count: int) -> None:
    now = unix_now()
    station = Station.objects.select_related("site").filter(site=site)[0]
    rest = {"instance": str(uuid4()), "seq": 1, "at": now, "clock": 0, "data": {}}
    events: list[dict[str, Any]] = [
        rest | {"id": str(uuid4()), "type": "key_synced", "key": 5001},
        rest | {"id": str(uuid4()), "type": "key_activated", "key": 5001, "holder": 11},
        rest | {"id": str(uuid4()), "type": "key_deactivated", "key": 5001},
        rest | {"id": str(uuid4()), "type": "pool_key_taken", "key": 35_001, "holder": 12},
    ]
    events += [entry_event(5001, seq=next(_seq), holder=11) for _ in range(count - len(events))]
    assert {result.status for result in receive_events(station, events, now)} == {"accepted"}


def scans(site: Site, now: int) -> list[str]:
    """Statements whose plan reads a whole month, or ids, one row after the other."""
    found = []
    with CaptureQueriesContext(connection) as said:
        measured(site, now)
    statements = {re.sub(r"\d+|'[^']*'", "?", query["sql"]): query["sql"] for query in said}
    with connection.cursor() as cursor:
        for sql in statements.values():
            if "central_event" in sql and sql.startswith("SELECT"):
                cursor.execute(f"EXPLAIN {sql}".replace("%", "%%"), [])
                plan = "\n".join(line for (line,) in cursor.fetchall())
                if "Seq Scan on central_event" in plan and not _only_of_empty_months(plan):
                    found.append(f"{sql}\n{plan}")
    return found


def _only_of_empty_months(plan: str) -> bool:
    """A month that is made ahead is empty: it is read as it is."""
    sizes = dict(_sizes())
    return all(sizes[name] < 1000 for name in re.findall(r"Seq Scan on (central_event\w*)", plan))


def _sizes() -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reltuples::bigint FROM pg_class WHERE relname LIKE 'central_event%%'", [])
        return list(cursor.fetchall())


def main() -> None:
    count, now = int(sys.argv[1]), unix_now()
    bring_up_to_date()
    site = large_site()
    told: dict[str, Any] = {"events": count, "seconds to fill": round(fill_log(count, DAYS, now))}
    make_months_ahead(now)
    told["ms"] = measured(site, now)
    told["scans"] = scans(site, now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        told["GB"] = round(cursor.fetchone()[0] / 1e9, 1)
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    sys.stdout.flush()
    began = time.monotonic()
    gone = delete_old_events(now + 40 * DAY_S)
    sys.stdout.write(json.dumps({"month taken off": gone, "seconds": round(time.monotonic() - began, 1)}) + "\n")
    call_command("check", verbosity=0)


if __name__ == "__main__":
    main()
