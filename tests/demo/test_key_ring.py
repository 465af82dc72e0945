"""The key ring with the real kiosk in it: what a visitor does with it, in a wide terminal and in a small one."""

import asyncio
import time
from collections.abc import Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from station.demo.key_ring import KeyRing, in_order
from station.demo.site import DemoSite
from station.records.claims import KeyKind
from ui.languages import LANGUAGES, catalogue

pytestmark = pytest.mark.slow

DEADLINE_S = 120.0


class Visitor:
    """Somebody at the key ring."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self._pilot = pilot

    @property
    def _app(self) -> KeyRing:
        assert isinstance(self._pilot.app, KeyRing)
        return self._pilot.app

    @property
    def kiosk(self) -> str:
        text = self._app.terminal.text
        return " ".join(text.split())

    @property
    def ring(self) -> str:
        rows = self._pilot.app.query_one(OptionList).options
        news = [str(self._pilot.app.query_one(name, Static).render()) for name in ("#news", "#network")]
        return "\n".join([*(str(row.prompt) for row in rows), *news])

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    async def until(self, wanted: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not wanted():
            assert time.monotonic() < deadline, f"{self.kiosk}\n{self.ring}"
            await asyncio.sleep(0.02)

    async def reads(self, text: str) -> None:
        await self.until(lambda: text in self.kiosk)

    async def hears(self, text: str) -> None:
        await self.until(lambda: text in self.ring)


@pytest.mark.parametrize("size", [(132, 40), (80, 24)], ids=["wide", "small"])
async def test_a_visit(world: DemoSite, size: tuple[int, int]) -> None:
    first = in_order(world, 1)[0]
    assert first.pin is not None
    async with KeyRing(world).run_test(size=size) as pilot:
        visitor = Visitor(pilot)
        await visitor.reads("Press the button on the key and put it in.")
        await visitor.press("i")
        await visitor.hears(f"Key {first.number}: button pressed, in the socket.")
        await visitor.reads("Starting: PIN and #.")
        await visitor.press("t")
        await visitor.hears("pull it first")
        await visitor.press("asterisk", *first.pin, "number_sign")
        await visitor.reads("Key is ON until")
        await visitor.press("p")
        await visitor.hears(f"Key {first.number} is out.")
        await visitor.hears("[*] blue, ON")
        await visitor.press("t")
        await visitor.hears("in the test lock: green, it opens.")
        await visitor.press("o")
        await visitor.hears("area 2: green, it opens.")
        await visitor.press("x")
        await visitor.hears("red, not allowed here.")
        await visitor.press("w")
        await visitor.hears("[!] purple blinks")
        await visitor.press("n")
        await visitor.hears("Network: CUT")
        await visitor.press("i")
        await visitor.reads("OFFLINE")
        await visitor.press("n", "p")
        await visitor.hears("Network: up")
        await visitor.press("escape", "tab", "f1")
        assert pilot.app.is_running
        await visitor.press("ctrl+c")
    assert pilot.app.return_code == 0


async def test_both_boxes_by_hand(world: DemoSite) -> None:
    async with KeyRing(world).run_test(size=(132, 40)) as pilot:
        visitor = Visitor(pilot)
        await visitor.press("s")
        await visitor.hears("Update box 12")
        await visitor.reads("It is renewed at once.")
        await visitor.press("i")
        await visitor.reads("Key is renewed until")
        await visitor.press("p", "s")
        await visitor.hears("Activation box 13")
        await visitor.reads("Put the key in.")
        await visitor.press("i")
        await visitor.reads("The key has lost power, as with a new battery.")
        await visitor.press("p", "s")
        await visitor.hears("Station 1")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_speaks_the_chosen_language_and_says_how_to_get_into_the_office(
    world: DemoSite, language: str
) -> None:
    world.language = language
    async with KeyRing(world).run_test(size=(132, 40)) as pilot:
        visitor = Visitor(pilot)
        assert world.office is not None
        assert world.office.password in str(pilot.app.query_one("#office", Static).render())
        await visitor.press("i")
        await visitor.hears(catalogue(language).gettext("Key {key}: button pressed, in the socket.").format(key=5001))


async def test_the_keys_worth_trying_come_first_each_with_a_pin(world: DemoSite) -> None:
    keys = in_order(world, 1)
    assert len(keys) == len(world.keys) == len({key.number for key in keys})
    kinds = [key.kind for key in keys[:8]]
    assert kinds == [KeyKind.PERSONAL] * 3 + [KeyKind.SUBSTITUTE] * 2 + [KeyKind.EMERGENCY] * 3
    async with KeyRing(world).run_test(size=(132, 40)) as pilot:
        visitor = Visitor(pilot)
        await visitor.hears("substitute, unit 1")
        rows = [str(row.prompt) for row in pilot.app.query_one(OptionList).options[:8]]
        david = next(person for person in world.people.values() if person.name == "David Dadel")
        assert all("PIN " in row for row in rows)
        assert f"PIN {david.pin}" in rows[3]
        assert "David Dadel" in rows[3]
