"""What a station tells of itself with each question for changes: a request header, which a server may well ignore.

``Station-Health: outbox=3, mirror=42, clock=0, config=3fa2b1c4d5e6`` (a dictionary of RFC 8941): events that central
has not acknowledged, the mirror's age in seconds, what the clock rests on as in events, the configuration's version.
What is not known is left out. Numbers only, nobody's name.
"""

from contextlib import suppress

from station.ports import Store, StoreFault
from station.rules.facts import Now

HEADER = "Station-Health"


async def self_report(store: Store, now: Now, confirmed_at: int | None, config_version: str) -> str:
    """The header's value. ``confirmed_at``: when central last confirmed the mirror."""
    told: dict[str, object] = {}
    # Central hears of a broken disk from the events that do not come.
    with suppress(StoreFault):
        told["outbox"] = await store.pending_count()
    if now.trust is not None:
        told["clock"] = int(now.trust)
        if confirmed_at is not None:
            told["mirror"] = max(0, now.unix_s - confirmed_at)
    if config_version:
        told["config"] = config_version
    return ", ".join(f"{name}={value}" for name, value in told.items())
