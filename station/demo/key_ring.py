"""The key ring: hosts the kiosk's own terminal, and beside it the keys, the network and the locks of the sample site.

Letters and arrows are the key ring's; digits, ``*``, ``#``, Enter and Backspace go to the kiosk.
"""

import select
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from station.commands.sync import synchronise
from station.demo.site import (
    DemoSite,
    OfficeLogIn,
    SampleKey,
    SamplePerson,
    kiosk_command,
    kiosk_environment,
)
from station.errors import StationError
from station.records.claims import EVERY_AREA, Category, KeyKind, Role
from station.rules.locks import TEST_LOCK, Light, Reason
from ui.languages import catalogue
from ui.sentences import N_
from ui.terminal import TerminalView

LIGHTS_EVERY_S = 1.0
KIOSK_SIZE = (80, 24)
WIDE_COLUMNS = 126
"""From here on the ring stands beside the kiosk; in a narrower terminal it lies below, and the kiosk has the width."""
SHORT_ROWS = 30
"""In fewer rows than this the help is one line, and the kiosk keeps the rest."""

LIGHT_MARKS: Mapping[Light, str] = {
    Light.BLUE_STEADY: N_("[*] blue, ON"),
    Light.BLUE_BLINKING: N_("[ ] blue blinks"),
    Light.PURPLE_BLINKING: N_("[!] purple blinks"),
    Light.GREEN: N_("green"),
    Light.RED: N_("red"),
    Light.NONE: N_("dark"),
}
HELP = N_(
    "arrows choose a key; then i insert   p pull\n"
    "b press its button   w take its battery out\n"
    "t test lock   o one of its own   x another's\n"
    "s station, update box, activation box\n"
    "n cut or restore the network   q quit\n"
    "0-9 * # Enter Backspace: the kiosk's keypad"
)
SHORT_HELP = N_("i in  p out  t o x locks  s place  n network  b button  w battery  q quit")
KINDS = {
    KeyKind.PERSONAL: N_("personal"),
    KeyKind.SUBSTITUTE: N_("substitute"),
    KeyKind.EMERGENCY: N_("emergency"),
}
STATUSES = {"blocked": N_("blocked"), "returned": N_("handed in"), "blank": N_("blank")}
PLACES = (Role.SYNC_STATION, Role.UPDATE_BOX, Role.ACTIVATION_BOX)
"""What ``s`` goes round."""
ROLES = {
    Role.SYNC_STATION: N_("Station {number}"),
    Role.UPDATE_BOX: N_("Update box {number}"),
    Role.ACTIVATION_BOX: N_("Activation box {number}"),
}
REASONS: Mapping[Reason, str] = {
    Reason.OPENED: N_("it opens"),
    Reason.NOT_AWAKE: N_("the key is asleep"),
    Reason.CLOCK_UNSET: N_("the key's clock is not set"),
    Reason.BAD_KEY_RECORD: N_("the key does not say which it is"),
    Reason.NOT_GENUINE: N_("the key is not genuine"),
    Reason.NOT_ACTIVE: N_("the key is OFF"),
    Reason.BAD_STATION_CERTIFICATE: N_("no station of ours"),
    Reason.BAD_ACTIVATION: N_("its activation is not right"),
    Reason.NOT_YET_VALID: N_("not yet"),
    Reason.EXPIRED: N_("its time is over"),
    Reason.TOO_LONG: N_("ON for too long"),
    Reason.WRONG_KEY: N_("made for another key"),
    Reason.WRONG_HOLDER: N_("made for somebody else"),
    Reason.BAD_PERMIT: N_("no permit on it"),
    Reason.PERMIT_MISMATCH: N_("another permit than at the station"),
    Reason.PERMIT_EXPIRED: N_("its permit has ended"),
    Reason.CLOCK_BEHIND: N_("the key's clock is behind"),
    Reason.BLOCKED: N_("the key is blocked"),
    Reason.BLOCKED_STATION: N_("the station is blocked"),
    Reason.NO_PERMISSION: N_("not allowed here"),
}
"""Why a lock opened, or did not."""


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
    #office { height: auto; }
    #help { height: auto; color: ansi_bright_black; }
    """

    def __init__(self, site: DemoSite) -> None:
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self._site = site
        self._say = catalogue(site.language).gettext
        self._installation = site.home
        self._place = next(place for place in site.places if place.number == site.home.number)
        self._keys: Sequence[SampleKey] = in_order(site, self._place.unit)
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
                yield self._new_terminal()
            with Vertical(id="ring"):
                yield Static("", id="network", markup=False)
                yield Static("", id="office", markup=False)
                yield OptionList(id="keys")
                yield Static(self._say(N_("Choose a key with the arrows, then press i.")), id="news", markup=False)
                yield Static("", id="help", markup=False)

    def on_mount(self) -> None:
        """List the keys."""
        if not self.is_headless:
            # It comes with a terminal that is closed; Textual would read that one for ever (as in `ui.kiosk`).
            signal.signal(signal.SIGCONT, signal.SIG_DFL)
        self._list_keys()
        self.query_one(OptionList).focus()
        if self._site.office is not None:
            self.query_one("#office", Static).update(office_line(self._site.office, self._site.language))
        self._show_network()
        self.set_interval(LIGHTS_EVERY_S, self._draw_lights)
        if not self.is_headless:
            self.set_interval(LIGHTS_EVERY_S, self._end_with_terminal)

    def _end_with_terminal(self) -> None:
        """End when the terminal is gone: `make` does not pass its SIGHUP on, and Textual would read it for ever."""
        poll = select.poll()
        poll.register(sys.stdin, 0)
        if any(event & select.POLLHUP for _, event in poll.poll(0)):
            self.exit()

    def _list_keys(self) -> None:
        ring = self.query_one(OptionList)
        ring.clear_options()
        ring.add_options([Option(self._row(key), id=str(key.number)) for key in self._keys])
        ring.highlighted = 0

    # --- the places ---

    @property
    def terminal(self) -> TerminalView:
        """The kiosk that is shown."""
        return self.query_one(f"#terminal-{self._place.number}", TerminalView)

    def _new_terminal(self) -> TerminalView:
        command = kiosk_command(self._installation)
        terminal = TerminalView(command, kiosk_environment(), KIOSK_SIZE, id=f"terminal-{self._place.number}")
        terminal.can_focus = False
        return terminal

    async def _go_to_next_place(self) -> None:
        """Go on to a station or box of the next kind; the first time it is set up."""
        role = PLACES[(PLACES.index(self._place.role) + 1) % len(PLACES)]
        place = next(place for place in self._site.places if place.role is role)
        self._show_news(self._say(N_("Setting it up …")))
        try:
            self._installation = await self._site.install(place.number)
            if role is Role.ACTIVATION_BOX and not self.query(f"#terminal-{place.number}"):
                # It works without a network: it has been connected once, for the time and the blocklist.
                await synchronise(self._installation.settings())
        except StationError as error:
            self._show_news(str(error))
            return
        self.terminal.display = False
        self._place, self._keys = place, in_order(self._site, place.unit)
        if self.query(f"#terminal-{place.number}"):
            self.terminal.display = True
        else:
            await self.query_one("#kiosk").mount(self._new_terminal())
        self._list_keys()
        self._show_network()
        self._show_news(place.name)

    def on_resize(self, event: events.Resize) -> None:
        """Beside each other where there is room, else the ring below the kiosk."""
        self.query_one("#site").set_class(event.size.width >= WIDE_COLUMNS, "wide")
        short = event.size.width < WIDE_COLUMNS or event.size.height < SHORT_ROWS
        self.query_one("#help", Static).update(self._say(SHORT_HELP if short else HELP))
        self._draw_lights()

    def _row(self, key: SampleKey) -> Text:
        inside = ">" if self._site.inserted(self._installation) == key.number else " "
        row = Text(f"{inside}{key.number} {self._who(key)[:24]:<24} {_pin_to_use(self._site, key):<10}", no_wrap=True)
        row.append("\n      " if self._is_wide else "  ")
        row.append(f"{self._say(LIGHT_MARKS[self._site.light(key.number)]):<18}", style="dim")
        person = _for_pool(self._site, key)
        if person is not None:
            row.append(person.name, style="dim")
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
        elif event.character == "s":
            event.stop()
            self.run_worker(self._go_to_next_place(), exclusive=True)
        elif event.character is not None and event.character in self._does:
            event.stop()
            self._does[event.character]()
            self._draw_lights()

    async def on_event(self, event: events.Event) -> None:
        """The keypad's keys go to the kiosk before any widget can take them (Enter would select in the list)."""
        if isinstance(event, events.Key) and event.key == "ctrl+c":
            self.exit()
            return
        if isinstance(event, events.Key):
            stroke = {"enter": b"\r", "backspace": b"\x7f"}.get(event.key)
            if stroke is None and event.character is not None and event.character in "0123456789*#":
                stroke = event.character.encode("ascii")
            if stroke is not None:
                self.terminal.write(stroke)
                return
        await super().on_event(event)

    def on_terminal_view_exited(self, message: TerminalView.Exited) -> None:
        """The kiosk has ended: say so."""
        said = self._say(N_("The kiosk has ended (code {code}). Its log: {log}"))
        self._show_news(said.format(code=message.code, log=self._installation.folder / "station.log"))

    # --- what a person does ---

    @property
    def _chosen(self) -> SampleKey:
        return self._keys[self.query_one(OptionList).highlighted or 0]

    def _insert(self) -> None:
        self._site.insert(self._chosen.number, self._installation)
        self._tell(N_("Key {key}: button pressed, in the socket."))

    def _pull(self) -> None:
        inside = self._site.inserted(self._installation)
        self._installation.line.pull()
        self._tell(N_("Key {key} is out.") if inside is not None else N_("There is no key in the socket."), key=inside)

    def _press(self) -> None:
        self._site.key(self._chosen.number).press()
        self._tell(N_("Key {key}: awake for 20 seconds."))

    def _lose_power(self) -> None:
        self._site.key(self._chosen.number).lose_power()
        self._tell(N_("Key {key}: battery out and in again, its clock is unset."))

    def _try_own(self) -> None:
        areas = self._site.areas_of(self._chosen.number)
        if areas is None:
            self._tell(N_("Key {key} has no permit on it yet: switch it on first."))
        else:
            self._try_in(
                self._site.areas if areas == EVERY_AREA else areas, N_("The holder of key {key} may open no area.")
            )

    def _try_other(self) -> None:
        areas = self._site.areas_of(self._chosen.number) or ()
        others = () if areas == EVERY_AREA else tuple(area for area in self._site.areas if area not in areas)
        self._try_in(others, N_("The holder of key {key} may open every area."))

    def _try_in(self, areas: Sequence[int], none: str) -> None:
        lock = self._site.lock_in(areas[0]) if areas else None
        if lock is None:
            self._tell(none)
        else:
            self._try(lock, areas[0])

    def _try(self, lock: int, area: int) -> None:
        number = self._chosen.number
        if self._site.inserted(self._installation) == number:
            self._tell(N_("Key {key} is in the socket: pull it first (p)."))
            return
        decision = self._site.try_lock(number, lock, area, record=lock != TEST_LOCK)
        said = N_("Key {key} in the test lock: {light}, {reason}.")
        if lock != TEST_LOCK:
            said = N_("Key {key} in lock {lock}, area {area}: {light}, {reason}.")
        light, reason = self._say(LIGHT_MARKS[decision.light]), self._say(REASONS[decision.reason])
        self._tell(said, lock=lock, area=area, light=light, reason=reason)

    async def _switch_network(self) -> None:
        if self._installation.network.up:
            await self._installation.network.cut()
        else:
            await self._installation.network.restore()
        self._show_network()

    def _show_network(self) -> None:
        state = self._say(N_("up")) if self._installation.network.up else self._say(N_("CUT"))
        place = self._say(ROLES[self._place.role]).format(number=self._place.number)
        self.query_one("#network", Static).update(f"{place} · " + self._say(N_("Network: {state}")).format(state=state))

    def _tell(self, news: str, **values: object) -> None:
        """Say ``news``, marked for translation; ``key`` is the chosen one's number if it is not among ``values``."""
        self._show_news(self._say(news).format(**({"key": self._chosen.number} | values)))

    def _show_news(self, news: str) -> None:
        self.query_one("#news", Static).update(news)

    def _who(self, key: SampleKey) -> str:
        kind = self._say(KINDS[key.kind])
        if key.status != "active":
            return f"{kind}, {self._say(STATUSES.get(key.status, key.status))}"
        return key.holder or self._say(N_("{kind}, unit {unit}")).format(kind=kind, unit=key.unit)


def office_line(office: OfficeLogIn, language: str) -> str:
    """Where the office is, and how to get in."""
    said = catalogue(language).gettext("Office: {url} ({user}, {password})")
    return said.format(url=office.url, user=office.user, password=office.password)


def in_order(site: DemoSite, unit: int) -> Sequence[SampleKey]:
    """As a visitor would try them: of each kind the first few of ``unit`` that work, those with a story, then all."""
    keys = sorted(site.keys.values(), key=lambda key: key.number)
    handed_out = [key for key in keys if key.status == "active"]
    own = [key for key in handed_out if key.unit == unit]
    first: list[SampleKey] = []
    for kind, count in ((KeyKind.PERSONAL, 3), (KeyKind.SUBSTITUTE, 2), (KeyKind.EMERGENCY, 3)):
        first += [key for key in own if key.kind is kind][:count]
    story = [key for key in keys if key.status in {"blocked", "returned"}]
    return [*first, *story, *(key for key in keys if key not in first and key not in story)]


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
