"""The key ring: hosts the kiosk's own terminal, and beside it the keys, the network and the locks of the sample site.

Letters and arrows are the key ring's; digits, ``*``, ``#``, Enter and Backspace go to the kiosk.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from station.demo.site import DemoSite, SampleKey, SamplePerson, kiosk_command, kiosk_environment
from station.records.claims import EVERY_AREA, Category, KeyKind
from station.rules.locks import TEST_LOCK, Light
from ui.terminal import TerminalView

LIGHTS_EVERY_S = 1.0
KIOSK_SIZE = (80, 24)
WIDE_COLUMNS = 126
"""From here on the ring stands beside the kiosk; in a narrower terminal it lies below, and the kiosk has the width."""
SHORT_ROWS = 30
"""In fewer rows than this the help is one line, and the kiosk keeps the rest."""

LIGHT_MARKS: Mapping[Light, str] = {
    Light.BLUE_STEADY: "[*] blue, ON",
    Light.BLUE_BLINKING: "[ ] blue blinks",
    Light.PURPLE_BLINKING: "[!] purple blinks",
    Light.GREEN: "green",
    Light.RED: "red",
    Light.NONE: "dark",
}
HELP = (
    "arrows choose a key; then i insert   p pull\n"
    "b press its button   w take its battery out\n"
    "t test lock   o one of its own   x another's\n"
    "n cut or restore the network   q quit\n"
    "0-9 * # Enter Backspace: the kiosk's keypad"
)
SHORT_HELP = "i insert  p pull  t o x locks  n network  b button  w battery  q quit"
SHOWN_FIRST_UNIT = 1
KINDS = {KeyKind.PERSONAL: "personal", KeyKind.SUBSTITUTE: "substitute", KeyKind.EMERGENCY: "emergency"}


class KeyRing(App[None]):
    """The demonstration's window."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []
    CSS = """
    #site { layout: vertical; }
    #site.wide { layout: horizontal; }
    #kiosk { width: 1fr; height: 1fr; }
    .wide #kiosk { border: round ansi_white; }
    #ring { height: 8; padding: 0 1; border-top: solid ansi_white; }
    .wide #ring { width: 46; height: 1fr; border-top: none; }
    #keys { height: 1fr; border: none; background: transparent; padding: 0; }
    #news { height: 1; color: ansi_bright_yellow; }
    .wide #news { height: 4; }
    #network { height: 1; text-style: bold; }
    #help { height: auto; color: ansi_bright_black; }
    """

    def __init__(self, site: DemoSite) -> None:
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self._site = site
        self._installation = site.home
        self._keys: Sequence[SampleKey] = in_order(site)
        self._does: Mapping[str, Callable[[], None]] = {
            "i": self._insert,
            "p": self._pull,
            "b": self._press,
            "w": self._lose_power,
            "t": lambda: self._try(TEST_LOCK, 0),
            "o": self._try_own,
            "x": self._try_other,
            "q": self.exit,
        }

    def compose(self) -> ComposeResult:
        """The kiosk's terminal, and the ring."""
        with Container(id="site"):
            with Vertical(id="kiosk"):
                yield TerminalView(kiosk_command(self._installation), kiosk_environment(), KIOSK_SIZE)
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
        self._show_network()
        self.set_interval(LIGHTS_EVERY_S, self._draw_lights)

    def on_resize(self, event: events.Resize) -> None:
        """Beside each other where there is room, else the ring below the kiosk."""
        self.query_one("#site").set_class(event.size.width >= WIDE_COLUMNS, "wide")
        short = event.size.width < WIDE_COLUMNS or event.size.height < SHORT_ROWS
        self.query_one("#help", Static).update(SHORT_HELP if short else HELP)
        self._draw_lights()

    def _row(self, key: SampleKey) -> Text:
        inside = ">" if self._site.inserted(self._installation) == key.number else " "
        row = Text(f"{inside}{key.number} {_who(key)[:24]:<24} {_pin_to_use(self._site, key):<10}", no_wrap=True)
        row.append("\n      " if self._is_wide else "  ")
        row.append(f"{LIGHT_MARKS[self._site.light(key.number)]:<18}", style="dim")
        person = _for_pool(self._site, key)
        if person is not None:
            row.append(f"{person.name}'s", style="dim")
        return row

    @property
    def _is_wide(self) -> bool:
        return self.size.width >= WIDE_COLUMNS

    def _draw_lights(self) -> None:
        # None any more, where the timer comes round once more at the end.
        for ring in self.query(OptionList):
            for key in self._keys if ring.option_count else ():
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
        self._show_news(
            f"The kiosk has ended (code {message.code}). Its log: {self._installation.folder / 'station.log'}"
        )

    # --- what a person does ---

    @property
    def _chosen(self) -> SampleKey:
        return self._keys[self.query_one(OptionList).highlighted or 0]

    def _insert(self) -> None:
        self._site.insert(self._chosen.number, self._installation)
        self._show_news(f"Key {self._chosen.number}: button pressed, in the socket.")

    def _pull(self) -> None:
        inside = self._site.inserted(self._installation)
        self._installation.line.pull()
        self._show_news(f"Key {inside} is out." if inside is not None else "There is no key in the socket.")

    def _press(self) -> None:
        self._site.key(self._chosen.number).press()
        self._show_news(f"Key {self._chosen.number}: awake for 20 seconds.")

    def _lose_power(self) -> None:
        self._site.key(self._chosen.number).lose_power()
        self._show_news(f"Key {self._chosen.number}: battery out and in again, its clock is unset.")

    def _try_own(self) -> None:
        areas = self._site.areas_of(self._chosen.number)
        if areas is None:
            self._show_news(f"Key {self._chosen.number} has no permit on it yet: switch it on first.")
        else:
            self._try_in(self._site.areas if areas == EVERY_AREA else areas, "no area")

    def _try_other(self) -> None:
        areas = self._site.areas_of(self._chosen.number) or ()
        others = () if areas == EVERY_AREA else tuple(area for area in self._site.areas if area not in areas)
        self._try_in(others, "every area")

    def _try_in(self, areas: Sequence[int], none: str) -> None:
        lock = self._site.lock_in(areas[0]) if areas else None
        if lock is None:
            self._show_news(f"The holder of key {self._chosen.number} may open {none}.")
        else:
            self._try(lock, areas[0])

    def _try(self, lock: int, area: int) -> None:
        number = self._chosen.number
        if self._site.inserted(self._installation) == number:
            self._show_news(f"Key {number} is in the socket: pull it first (p).")
            return
        decision = self._site.try_lock(number, lock, area, record=lock != TEST_LOCK)
        name = "the test lock" if lock == TEST_LOCK else f"lock {lock} in area {area}"
        opens = "opens" if decision.opened else "stays shut"
        reason = decision.reason.value.replace("_", " ")
        self._show_news(f"Key {number} in {name}: {decision.light.value.replace('_', ' ')}, it {opens} ({reason}).")

    async def _switch_network(self) -> None:
        if self._installation.network.up:
            await self._installation.network.cut()
        else:
            await self._installation.network.restore()
        self._show_network()

    def _show_network(self) -> None:
        state = "up" if self._installation.network.up else "CUT"
        self.query_one("#network", Static).update(f"Network: {state}")

    def _show_news(self, news: str) -> None:
        self.query_one("#news", Static).update(news)


def in_order(site: DemoSite) -> Sequence[SampleKey]:
    """The keys as a visitor would try them: of each kind the first few that work, then those with a story, then all."""
    keys = sorted(site.keys.values(), key=lambda key: key.number)
    handed_out = [key for key in keys if key.status == "active"]
    own = [key for key in handed_out if key.unit == SHOWN_FIRST_UNIT]
    first: list[SampleKey] = []
    for kind, count in ((KeyKind.PERSONAL, 3), (KeyKind.SUBSTITUTE, 2), (KeyKind.EMERGENCY, 1)):
        first += [key for key in own if key.kind is kind][:count]
    story = [key for key in keys if key.status in {"blocked", "returned"}]
    return [*first, *story, *(key for key in keys if key not in first and key not in story)]


def _who(key: SampleKey) -> str:
    if key.status != "active":
        return f"{KINDS[key.kind]}, {key.status}"
    return key.holder or f"{KINDS[key.kind]}, unit {key.unit}"


def _pin_to_use(site: DemoSite, key: SampleKey) -> str:
    """The PIN that switches the key on; none where nobody's does."""
    if key.status != "active":
        return ""
    if key.kind is KeyKind.PERSONAL:
        return f"PIN {key.pin}"
    person = _for_pool(site, key)
    return f"PIN {person.pin}" if person is not None else ""


def _for_pool(site: DemoSite, key: SampleKey) -> SamplePerson | None:
    """Somebody of a shared key's unit who may use it; nobody for a personal one."""
    if key.kind is KeyKind.PERSONAL or key.status != "active":
        return None
    hourly = key.kind is KeyKind.SUBSTITUTE
    people = sorted(site.people.values(), key=lambda person: person.holder)
    return next(
        (p for p in people if p.active and p.unit == key.unit and (p.category is Category.HOURLY) == hourly), None
    )
