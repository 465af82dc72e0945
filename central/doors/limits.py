"""Limits on tries, kept in the database: leaky buckets, each one row with one number.

A try is counted before it is judged, in one statement: many that come at once are as many as they are, in whichever
process. What turned out right is given back. What is refused writes nothing.

django-axes (log-ins only, and it looks before it counts) and django-ratelimit (needs a cache that counts) do not fit.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil

from django.db import connection, transaction
from django.db.models import F

from central.errors import Refused
from central.models.limits import TryCount


@dataclass(frozen=True)
class Limit:
    """``burst`` tries, and then one more each ``refill_s`` seconds."""

    name: str
    burst: int
    refill_s: float


NAME_FROM_NETWORK = Limit("name-from-network", 10, 90)
"""Wrong passwords for one name from one network: ten in a quarter of an hour."""
LOG_IN_NETWORK = Limit("log-in-network", 30, 30)
"""Wrong passwords for whatever names from one network."""
LOG_IN_WIDE = Limit("log-in-wide-network", 120, 8)
LOG_IN_NAME = Limit("log-in-name", 30, 120)
"""Wrong passwords for one name from wherever: 750 a day at most."""
ENROL = Limit("enrol", 30, 2)
"""Wrong codes (and proofs) of stations-to-be, for a network."""
PROVISION = Limit("provision", 5, 900)
"""Wrong codes of keys, for a station: its token guards the call, so nobody else can use them up."""
TIME = Limit("time", 240, 0.5)
"""Every question for the time, for a network: a town's stations start at once behind one address after a power cut."""
TOKEN = Limit("token", 30, 2)
"""Wrong tokens, for a network."""
BODY = Limit("body", 30, 2)
"""Bodies that cannot be taken, for a network."""
FOREIGN_SITE = Limit("foreign-site", 30, 2)
"""Pages of sites that somebody has no role at, for that user."""


def wait_s(limit: Limit, who: str) -> int:
    """How many seconds they have to wait for the next try: 0, or at least 1. Only reads."""
    found = TryCount.objects.filter(bucket=_bucket(limit, who)).values_list("full_at_ms", flat=True).first()
    return 0 if found is None else _wait_s(limit, found, _now_ms())


def count_try(limit: Limit, who: str) -> int:
    """Count a try. Returns 0, or the seconds to wait: then nothing is counted."""
    now, refill_ms = _now_ms(), int(limit.refill_s * 1000)
    bucket, latest = _bucket(limit, who), now + (limit.burst - 1) * refill_ms
    found = TryCount.objects.filter(bucket=bucket).values_list("full_at_ms", flat=True).first()
    if found is not None and found > latest:
        return _wait_s(limit, found, now)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO central_trycount AS t (bucket, full_at_ms) VALUES (%s, %s) ON CONFLICT (bucket) DO UPDATE SET "
            "full_at_ms = CASE WHEN t.full_at_ms > %s THEN t.full_at_ms ELSE %s END + %s WHERE t.full_at_ms <= %s "
            "RETURNING full_at_ms",
            [bucket, now + refill_ms, now, now, refill_ms, latest],
        )
        row = cursor.fetchone()
    return 0 if row else wait_s(limit, who)


def give_back(limit: Limit, who: str) -> None:
    """A try that was counted was right."""
    TryCount.objects.filter(bucket=_bucket(limit, who)).update(full_at_ms=F("full_at_ms") - int(limit.refill_s * 1000))


def forget_tries(limit: Limit, who: str) -> None:
    """Begin anew: whoever it is has shown that they are right."""
    TryCount.objects.filter(bucket=_bucket(limit, who)).delete()


def forget_full_buckets() -> None:
    """Delete the rows that say nothing any more: their number is bounded by the tries of the last hours."""
    TryCount.objects.filter(full_at_ms__lte=_now_ms()).delete()


def count_all(limits: list[tuple[Limit, str]]) -> int:
    """Count a try under each of these limits, or under none. Returns 0, or the seconds to wait."""
    for limit, who in limits:
        if waiting := wait_s(limit, who):
            return waiting
    # One commit for all of them. Not with an outer transaction's fate: callers have none open.
    with transaction.atomic():
        for number, (limit, who) in enumerate(limits):
            if waiting := count_try(limit, who):
                for counted in limits[:number]:
                    give_back(*counted)
                return waiting
    return 0


def require(limit: Limit, who: str) -> None:
    """Count a try. Raises Refused (429 ``too_many_tries``)."""
    if waiting := count_try(limit, who):
        raise too_many(waiting)


@contextmanager
def counting_refusals(limit: Limit, who: str, statuses: frozenset[int]) -> Iterator[None]:
    """Around a try: one that is refused with one of these statuses counts, any other is given back.

    Raises Refused (429 ``too_many_tries``).
    """
    require(limit, who)
    try:
        yield
    except Refused as error:
        if error.status not in statuses:
            give_back(limit, who)
        raise
    except BaseException:
        give_back(limit, who)
        raise
    else:
        give_back(limit, who)


def too_many(waiting_s: int) -> Refused:
    """The refusal."""
    return Refused(429, "too_many_tries", "too many failed attempts: wait", {"Retry-After": str(waiting_s)})


def _wait_s(limit: Limit, full_at_ms: int, now: int) -> int:
    left_ms = full_at_ms - now - int((limit.burst - 1) * limit.refill_s * 1000)
    return max(0, ceil(left_ms / 1000))


def _bucket(limit: Limit, who: str) -> str:
    return f"{limit.name}:{hashlib.sha256(who.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
