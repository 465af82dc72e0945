"""What the screen is told besides the visit: help and standby, news of the key, progress, a flickering contact."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TypeAlias

from station.display import idle, snapshot
from station.display.idle import IdleState, View
from station.display.key_findings import KeyFindings
from station.display.screen import Line, Progress, Screen, Technician
from station.display.snapshot import Contact, ScreenExtras
from station.ports import Store
from station.rules.facts import Now
from station.runtime import technician
from station.runtime.past_visits import PastVisits
from station.runtime.technician import TechnicianCode
from station.sync.timekeeping import Timekeeper
from station.visit.entry import Entry
from station.visit.inputs import KeyInserted, KeyRemoved, KeystrokeTyped, VisitInput
from station.visit.state import State

Start: TypeAlias = Callable[[Coroutine[None, None, None]], object]


@dataclass(frozen=True, slots=True)
class Presentation:
    """What the settings say about it."""

    standby_s: float | None = None
    """After so long without anything the screen goes dark; None: never."""
    technician_code: TechnicianCode | None = None
    reader: str = ""
    """The serial port's name."""
    central: str = ""
    """The central server's address."""
    config_version: str = ""


class Presenter:
    """Follows one visit machine from outside. It shows; it has no way to change a visit."""

    def __init__(
        self,
        settings: Presentation,
        store: Store,
        time: Timekeeper,
        *,
        progress: Callable[[], Progress | None],
        start: Start,
        redraw: Callable[[], None],
    ) -> None:
        """``start`` runs something beside; ``redraw`` is called when what is shown has changed by itself."""
        self._settings, self._store, self._time = settings, store, time
        self._progress, self._start, self._redraw = progress, start, redraw
        self._idle = IdleState(since_s=time.now().mono_s)
        self._contact = Contact()
        self._contact_with: int | None = None
        """The key whose contact it is."""
        self._findings = KeyFindings()
        self._findings_of_visit = 0
        self.past_visits = PastVisits()
        """Told of each screen."""
        self._page: Technician | None = None

    def adopt(self, settings: Presentation) -> None:
        """Go by these settings from now on."""
        self._settings = settings

    def screen(self, state: State, now: Now) -> Screen:
        """What to show."""
        extras = ScreenExtras(self._findings, self._progress(), self._contact, self._idle, self._page)
        shown = snapshot.screen(state, now, extras)
        self.past_visits.follow(state, shown)
        return shown

    def report(self, findings: KeyFindings) -> None:
        """Take up what has been found out about the key that is, or was, in the reader."""
        self._findings = findings
        self._redraw()

    @property
    def findings(self) -> KeyFindings:
        """What is known of the key of the present visit."""
        return self._findings

    def follow(self, event: VisitInput, state: State, now: Now) -> None:
        """Take up that ``event`` has led to ``state``."""
        if state.visit != self._findings_of_visit:
            self._findings_of_visit, self._findings = state.visit, KeyFindings()
        if state.seen is not None and state.seen.record.key != self._contact_with:
            # Three people who are quick at one socket are no bad contact.
            self._contact = Contact() if self._contact_with is not None else self._contact
            self._contact_with = state.seen.record.key
        match event:
            case KeyRemoved():
                self._contact = self._contact.lost(now.mono_s)
            case KeyInserted():
                pass
            case KeystrokeTyped() if snapshot.is_free(state, now):
                self._typed(event.stroke, state, now)
                return
            case _ if snapshot.is_free(state, now):
                standby_s = self._settings.standby_s if snapshot.may_sleep(state, now) else None
                self._idle = idle.aged(self._idle, now.mono_s, standby_s=standby_s)
                if self._idle.view is not View.TECHNICIAN:
                    self._page = None
                return
        self._idle = idle.disturbed(self._idle, now.mono_s)

    def _typed(self, stroke: str, state: State, now: Now) -> None:
        has_code = self._settings.technician_code is not None
        self._idle, entry = idle.typed(self._idle, stroke, now.mono_s, has_code=has_code)
        if entry is not None:
            self._start(self._check(entry, state))

    async def _check(self, entry: Entry, state: State) -> None:
        code = self._settings.technician_code
        right = code is not None and await code.is_right(entry)
        now = self._time.now()
        if right:
            self._page = await technician.page(
                self._store,
                state,
                self._time,
                self.past_visits,
                reader=self._settings.reader,
                reader_works=self.screen(state, now).line is not Line.READER_BROKEN,
                central=self._settings.central,
                config_version=self._settings.config_version,
            )
        self._idle = idle.code_checked(self._idle, now.mono_s, right=right)
        self._redraw()
