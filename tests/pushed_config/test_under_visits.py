"""Two hundred pushes and every broken form, while people start their shift: nobody notices."""

import asyncio
from random import Random

import pytest

from config.loading import version_of
from station.display.screen import Line
from station.visit.state import Phase
from tests.pushed_config.broken_forms import FORMS, Form
from tests.pushed_config.mutations import CHOICES, NUMBERS, Mutation, mutated
from tests.pushed_config.site import Site

MUTATIONS = 200
PUSHES_A_VISIT = 8
SHIFT = [Line.READING, Line.PROMPT, Line.CHECKING, Line.ACTIVATING, Line.READY, Line.OUT_READY]


def full_text(site: Site) -> str:
    """A good file with every key that the mutations change."""
    tables: dict[str, list[str]] = {
        "central": ["metered = true", "poll_s = 3600", "refresh_deadline_ms = 800"],
        "key_reader": ["baud = 1000000"],
        "keypad": ["entry_timeout_s = 20"],
        "policy": ["active_minutes = 660", "mirror_max_age_days = 10", "left_in_s = 120"],
        "display": ['language = "en"', "receipt_s = 30", "bell = true"],
        "clock": ["trust_ntp = true", "trust_rtc = false", 'time_zone = "Europe/Stockholm"'],
    }
    tables["central"].insert(0, f'url = "{site.central.url}"')
    tables["key_reader"].insert(0, f'port = "{site.line.path}"')
    text = site.text(**{name: "\n".join(lines) for name, lines in tables.items()})
    assert all(f"\n{key} = " in text for key in [*NUMBERS, *CHOICES])
    return text


class Visit:
    """A person at the station, who comes, types and goes while files are pushed."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.number = 0
        self._rules: object = None
        self._typing: asyncio.Task[None] | None = None

    @property
    def _readiness(self) -> object:
        return (self._site.visits.state.policy, self._site.station.settings)

    async def begin(self) -> None:
        self.number += 1
        await self._site.insert()
        self._rules = self._readiness

    def type(self) -> None:
        """Type the PIN; what comes of it takes a moment."""
        self._typing = asyncio.create_task(self._site.start_shift())

    async def end(self) -> None:
        """Take the ready key out. Nothing has changed meanwhile; what waited is applied afterwards."""
        site = self._site
        assert self._typing is not None
        await self._typing
        await site.pull()
        assert self._readiness == self._rules
        # The visit knows that the key is out a moment before the screen says so.
        await site.until(lambda: Line.OUT_READY in site.shown, "farewell")
        shown = site.shown
        assert shown[shown.index(Line.READING) :] == SHIFT
        waited = site.config.status.waiting
        site.skip(4)
        await site.until(lambda: site.visits.state.phase is Phase.EMPTY)
        assert self._readiness == self._rules, "its farewell belongs to a visit"
        site.skip(121)
        await site.until(lambda: site.visits.between_visits)
        await site.until(lambda: waited in {None, site.config.status.version})


@pytest.mark.slow
async def test_no_visit_is_disturbed_and_every_file_gets_its_due(site: Site) -> None:
    good = full_text(site)
    site.push(good)
    await site.open()
    visit, random = Visit(site), Random(20)
    counts = {"applied": 0, "waiting": 0, "rejected": 0}
    lines: set[int | None] = set()
    readiness = site.config.status
    pushes: list[Mutation | Form] = [mutated(random, good) for _ in range(MUTATIONS)]
    pushes += FORMS
    for number, push in enumerate(pushes):
        at = number % PUSHES_A_VISIT
        if at == 0:
            await visit.begin()
        elif at == 2:
            visit.type()
        elif at == 3:
            await visit.end()
        # One that is under way may be about what was there before.
        before, running = site.looks, readiness.version
        if isinstance(push, Form):
            push.put(site)
        else:
            site.push(push.content)
        await site.until(lambda: site.looked > before)  # noqa: B023 - awaited at once
        if isinstance(push, Form) or push.line is not None:
            assert readiness.rejected, push.name
            assert (push.name, readiness.problems[0].line) == (push.name, _line(push, good, site))
            assert (readiness.version, readiness.waiting) == (running, None)
            assert version_of(site.copies()[0]) == running
            lines.add(readiness.problems[0].line)
            counts["rejected"] += 1
        else:
            assert not readiness.rejected, (push, readiness.problems)
            version = version_of(push.content)
            if at < 3:
                assert readiness.version == running
                assert readiness.waiting == (version if version != running else None)
                counts["waiting"] += 1
            else:
                await site.until(lambda: readiness.version == version)  # noqa: B023
                await site.until(lambda: version_of(site.copies()[0]) == version)  # noqa: B023
                counts["applied"] += 1
        if isinstance(push, Form):
            push.take_away(site)
    site.push(good)
    if len(pushes) % PUSHES_A_VISIT in {1, 2, 3}:
        visit.type()
        await visit.end()
    await site.until(lambda: readiness.version == version_of(good.encode()))
    assert not readiness.rejected
    assert visit.number >= 25
    assert counts["applied"] > 25
    assert counts["waiting"] > 10
    assert counts["rejected"] > 100
    assert {event["line"] for event in await site.events("config_rejected")} == lines


def _line(push: Mutation | Form, good: str, site: Site) -> int | None:
    if isinstance(push, Mutation):
        return push.line
    # The forms' lines are those of a shorter file.
    return None if push.line is None else site.config.status.problems[0].line
