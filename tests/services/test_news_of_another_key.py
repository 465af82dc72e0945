"""What central says of a key that was taken out is not said of the key that is in the reader now."""

import asyncio
from collections.abc import Sequence
from typing import Any

from station.display.screen import Line
from station.records.claims import KeyKind
from station.rules.facts import KeyStatus
from station.visit.inputs import MirrorRefreshed, VisitInput
from station.visit.state import Presence, State
from tests.services.site import ANNA, HER_KEY, HIS_KEY, Site


async def test_news_that_come_while_another_key_returns_are_not_about_it(site: Site) -> None:
    station, hers, his = await site.station(), site.key(HER_KEY), site.key(HIS_KEY)
    station.insert(hers)
    await station.until(Line.PROMPT)
    await station.idle()
    await station.out()
    site.key_object(HER_KEY, KeyKind.PERSONAL, ANNA, KeyStatus.BLOCKED)
    asked, go_on, bundle = asyncio.Event(), asyncio.Event(), station.store.real.bundle

    async def slow_for_his(key: int | None = None, pin_tags: Sequence[bytes] = ()) -> Any:
        if key == HIS_KEY:
            asked.set()
            await go_on.wait()
        return await bundle(key, pin_tags)

    station.store.real.bundle = slow_for_his  # type: ignore[method-assign]
    received: list[VisitInput] = []

    def stepped(each: VisitInput, _state: State) -> None:
        received.append(each)

    station.visits.on_step = stepped
    station.insert(his)
    await asyncio.wait_for(asked.wait(), 5)
    await station.visits.inputs_taken()
    assert station.visits.state.presence is Presence.RETURNING
    await site.refresh(station)
    await station.visits.inputs_taken()
    assert not any(isinstance(each, MirrorRefreshed) for each in received)
    go_on.set()
    screen = await station.until(Line.PROMPT, Line.REFUSED)
    assert (screen.line, screen.key) == (Line.PROMPT, HIS_KEY)
    await station.idle()
    assert await station.events("key_refused") == []
