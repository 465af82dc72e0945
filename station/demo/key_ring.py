"""The key ring: hosts the kiosk's own terminal, and beside it the keys, the network and the locks of the sample site.

Letters and arrows are the key ring's; digits, ``*``, ``#``, Enter and Backspace go to the kiosk.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from station.core.locks import TEST_LOCK, Light
from station.demo.world import SampleKey, World, kiosk_command, kiosk_environment
from ui.terminal import TerminalView

LIGHTS_EVERY_S = 1.0
KIOSK_SIZE = (80, 24)
LIGHT_MARKS: Mapping[Light, str] = {
    Light.BLUE_STEADY: "[*] blue, ON",
    Light.BLUE_BLINKING: "[ ] blue blinks",
    Light.PURPLE_BLINKING: "[!] purple blinks",
    Light.GREEN: "green",
    Light.RED: "red",
    Light.NONE: "dark",
}
HELP = (
    "i insert   p pull   b press button   w take battery out\n"
    "t test lock   o a lock of the holder's area\n"
    "n cut or restore the network   q quit\n"
    "0-9 * # Enter Backspace: the kiosk's keypad"
)


class KeyRing(App[None]):
    """The demonstration's window."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []
    CSS = """
    #kiosk { width: 1fr; border: round ansi_white; }
    #ring { width: 46; padding: 0 1; }
    #keys { height: 1fr; border: none; background: transparent; }
    #news { height: 4; color: ansi_bright_yellow; }
    #network { height: 1; text-style: bold; }
    #help { height: auto; color: ansi_bright_black; }
    """

    def __init__(self, world: World) -> None:
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self._world = world
        self._keys: Sequence[SampleKey] = sorted(world.keys.values(), key=lambda key: (key.pin is None, key.number))
        self._does: Mapping[str, Callable[[], None]] = {
            "i": self._insert,
            "p": self._pull,
            "b": self._press,
            "w": self._lose_power,
            "t": lambda: self._try(TEST_LOCK, 0),
            "o": self._try_own,
            "q": self.exit,
        }

    def compose(self) -> ComposeResult:
        """The kiosk's terminal, and the ring."""
        with Horizontal():
            with Vertical(id="kiosk"):
                yield TerminalView(kiosk_command(self._world), kiosk_environment(), KIOSK_SIZE)
            with Vertical(id="ring"):
                yield Static("", id="network")
                yield OptionList(id="keys")
                yield Static("Choose a key with the arrows, then press i.", id="news", markup=False)
                yield Static(HELP, id="help", markup=False)

    def on_mount(self) -> None:
        """List the keys."""
        ring = self.query_one(OptionList)
        ring.add_options([Option(self._row(key), id=str(key.number)) for key in self._keys])
        ring.highlighted = 0
        self.query_one(TerminalView).can_focus = False
        ring.focus()
        self._tell_network()
        self.set_interval(LIGHTS_EVERY_S, self._draw_lights)

    def _row(self, key: SampleKey) -> Text:
        inside = ">" if self._world.inserted == key.number else " "
        who = key.holder or f"{key.kind.name.lower()}, unit {key.unit}"
        pin = f"PIN {key.pin}" if key.pin else ""
        row = Text(f"{inside}{key.number} {who[:22]:<22} {pin:<10}\n", no_wrap=True)
        row.append(f"      {LIGHT_MARKS[self._world.light(key.number)]}", style="dim")
        return row

    def _draw_lights(self) -> None:
        ring = self.query_one(OptionList)
        for key in self._keys:
            row = self._row(key)
            if ring.get_option(str(key.number)).prompt != row:
                ring.replace_option_prompt(str(key.number), row)

    async def on_key(self, event: events.Key) -> None:
        """Letters are the ring's, the keypad's keys are the kiosk's."""
        if event.character == "n":
            event.stop()
            await self._switch_network()
        elif event.character is not None and event.character in self._does:
            event.stop()
            self._does[event.character]()
            self._draw_lights()

    async def on_event(self, event: events.Event) -> None:
        """The keypad's keys go to the kiosk before any widget can take them (Enter would select in the list)."""
        if isinstance(event, events.Key):
            stroke = {"enter": b"\r", "backspace": b"\x7f"}.get(event.key)
            if stroke is None and event.character is not None and event.character in "0123456789*#":
                stroke = event.character.encode("ascii")
            if stroke is not None:
                self.query_one(TerminalView).write(stroke)
                return
        await super().on_event(event)

    def on_terminal_view_exited(self, message: TerminalView.Exited) -> None:
        """The kiosk has ended: say so."""
        self._tell(f"The kiosk has ended (code {message.code}). Its log: {self._world.folder / 'station.log'}")

    # --- what a person does ---

    @property
    def _chosen(self) -> SampleKey:
        return self._keys[self.query_one(OptionList).highlighted or 0]

    def _insert(self) -> None:
        self._world.insert(self._chosen.number)
        self._tell(f"Key {self._chosen.number}: button pressed, in the socket.")

    def _pull(self) -> None:
        inside = self._world.inserted
        self._world.line.pull()
        self._tell(f"Key {inside} is out." if inside is not None else "There is no key in the socket.")

    def _press(self) -> None:
        self._world.key(self._chosen.number).press()
        self._tell(f"Key {self._chosen.number}: awake for 20 seconds.")

    def _lose_power(self) -> None:
        self._world.key(self._chosen.number).lose_power()
        self._tell(f"Key {self._chosen.number}: battery out and in again, its clock is unset.")

    def _try_own(self) -> None:
        areas = self._world.areas_of(self._chosen.number)
        lock = self._world.lock_in(areas[0]) if areas else None
        if lock is None:
            self._tell("This key has no area of its own yet; try t, or switch it on first.")
        else:
            self._try(lock, areas[0])

    def _try(self, lock: int, area: int) -> None:
        number = self._chosen.number
        if self._world.inserted == number:
            self._tell(f"Key {number} is in the socket: pull it first (p).")
            return
        decision = self._world.try_lock(number, lock, area, record=lock != TEST_LOCK)
        name = "the test lock" if lock == TEST_LOCK else f"lock {lock} in area {area}"
        opens = "opens" if decision.opened else "stays shut"
        self._tell(f"Key {number} in {name}: {decision.light.value.replace('_', ' ')}, it {opens} ({decision.reason}).")

    async def _switch_network(self) -> None:
        if self._world.network.up:
            await self._world.network.cut()
        else:
            await self._world.network.restore()
        self._tell_network()

    def _tell_network(self) -> None:
        state = "up" if self._world.network.up else "CUT"
        self.query_one("#network", Static).update(f"Network: {state}")

    def _tell(self, news: str) -> None:
        self.query_one("#news", Static).update(news)
