"""A station without a disk, a reader or a clock: keys and people by hand, and a visit machine played by hand."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from station.display.screen import Line, Screen
from station.display.snapshot import screen
from station.records.claims import Category, ClockSource, KeyKind, KeyRecord, Permit
from station.rules.facts import (
    Attempts,
    Grant,
    HolderEntry,
    KeyEntry,
    KeyKnown,
    KeyStatus,
    Now,
    PermitEntry,
    Person,
    StationFacts,
    UnitEntry,
)
from station.rules.hand_out import HandOutTold
from station.visit.effects import ActivateKey, CheckPin, Effect
from station.visit.inputs import (
    ActivationCleared,
    ClearFailed,
    HandedOut,
    HandOutFailed,
    KeyActivated,
    KeyBlank,
    KeyIdentified,
    KeyInserted,
    KeyRead,
    KeyRemoved,
    KeySeen,
    KeystrokeTyped,
    MirrorRefreshed,
    PinChecked,
    PinCheckFailed,
    ReaderFailed,
    ReadFailed,
    TimePassed,
    VisitInput,
)
from station.visit.machine import step
from station.visit.state import Phase, Presence, State

T = TypeVar("T")

NOON = 1_772_539_200
"""Tuesday 2026-03-03, 12:00 UTC."""
HOME = 7
AWAY = 8
TAG = b"right pin's tag "
WRONG_TAG = b"nobody's pin tag"
CODE = "0472918365"
"""That hands out a blank key."""
STATION = StationFacts(
    station=3,
    unit=HOME,
    off_only=None,
    certificate_expires=NOON + 30 * 86400,
    mirror_age_s=12,
    online=True,
    area_names={1: "Norrby", 2: "Söderby"},
)
UNIT = UnitEntry(HOME, "Hemvård Norrby")
ANNA = HolderEntry(20, "Anna Exempel", Category.PERMANENT, HOME, language="sv")
TIM = HolderEntry(21, "Tim Timanställd", Category.HOURLY, HOME)


def permit(holder: HolderEntry = ANNA, unit: int | None = None, **claims: object) -> PermitEntry:
    """A permit in force, for areas 1 and 2 and lock 501."""
    usual = Permit(
        expires=NOON + 10 * 86400,
        not_before=NOON - 86400,
        issued=NOON - 86400,
        holder=holder.holder,
        revision=5,
        areas=(1, 2),
        locks=(501,),
        windows=(),
        pin_tag=TAG,
        category=holder.category,
    )
    claim = replace(usual, **claims)  # type: ignore[arg-type]
    return PermitEntry(claim, b"permit of %d at %d" % (claim.holder, claim.revision), unit)


@dataclass(frozen=True)
class Key:
    """A key and what the mirror knows of it."""

    seen: KeySeen
    known: KeyKnown

    def but(self, **changes: object) -> "Key":
        """The same key, known otherwise."""
        return replace(self, known=replace(self.known, **changes))  # type: ignore[arg-type]

    def but_entry(self, **changes: object) -> "Key":
        """The same key with another entry in the mirror."""
        assert self.known.key is not None
        return self.but(key=replace(self.known.key, **changes))  # type: ignore[arg-type]


def key(number: int = 100, kind: KeyKind = KeyKind.PERSONAL, unit: int = HOME, holder: HolderEntry = ANNA) -> Key:
    """A key that nothing is wrong with."""
    personal = kind is KeyKind.PERSONAL
    record = KeyRecord(NOON - 9 * 86400, number, kind, unit, holder.holder if personal else None)
    return Key(
        KeySeen(b"id of %d" % number, record),
        KeyKnown(
            key=KeyEntry(record, KeyStatus.ACTIVE),
            unit=UnitEntry(unit, "En enhet"),
            holder=holder if personal else None,
            permit=permit(holder) if personal else None,
        ),
    )


BO = replace(ANNA, holder=22, name="Bo Exempel", language=None)


def handed_on(which: Key, *, to: HolderEntry = BO) -> Key:
    """The same number, as central has signed it since for somebody else (a pool key: another unit); the key has it."""
    before = which.seen.record
    personal = before.kind is KeyKind.PERSONAL
    record = replace(before, issued=before.issued + 60, holder=to.holder if personal else None)
    record = record if personal else replace(record, unit=AWAY)
    entry = KeyEntry(record, KeyStatus.ACTIVE, id_record=b"new id")
    return Key(KeySeen(b"new id", record), KeyKnown(entry, UNIT, to if personal else None, permit(to)))


OWN = key()
OTHER = key(101, holder=replace(ANNA, holder=22, name="Bo Exempel"))
SUBSTITUTE = key(200, KeyKind.SUBSTITUTE)
EMERGENCY = key(300, KeyKind.EMERGENCY)
ANNA_FOUND = Person(ANNA, UNIT, (permit(),))
TIM_FOUND = Person(TIM, UNIT, (permit(TIM, HOME), permit(TIM, AWAY, revision=6, areas=(9,))))


def the(kind: type[T], effects: Iterable[object]) -> T:
    """The one effect of this kind."""
    found = [e for e in effects if isinstance(e, kind)]
    assert len(found) == 1, f"{len(found)} of {kind.__name__} in {effects}"
    return found[0]


def kinds(effects: Iterable[object]) -> list[str]:
    """The names of the effects, in their order."""
    return [type(e).__name__ for e in effects]


@dataclass
class Machine:
    """The visit machine with a virtual clock. Each call gives it an input, or several, and keeps the effects."""

    state: State = field(default_factory=lambda: State(station=STATION))
    mono_s: float = 1000.0
    unix_s: int = NOON
    trust: ClockSource | None = ClockSource.SYNCED
    done: tuple[Effect, ...] = ()
    """The effects of the latest input."""
    everything: list[Effect] = field(default_factory=list)

    @property
    def now(self) -> Now:
        return Now(self.mono_s, self.unix_s, self.trust)

    @property
    def phase(self) -> Phase:
        return self.state.phase

    @property
    def presence(self) -> Presence:
        return self.state.presence

    @property
    def screen(self) -> Screen:
        return screen(self.state, self.now)

    def line(self) -> Line:
        """What the screen says now."""
        return self.screen.line

    def feed(self, received: VisitInput) -> tuple[Effect, ...]:
        self.state, self.done = step(self.state, received, self.now)
        self.everything += self.done
        return self.done

    def wait(self, seconds: float) -> tuple[Effect, ...]:
        """Time passes, and the station looks."""
        self.mono_s += seconds
        self.unix_s += int(seconds)
        return self.feed(TimePassed())

    def insert(self) -> tuple[Effect, ...]:
        return self.feed(KeyInserted(self.state.insertion + 1))

    def pull(self) -> tuple[Effect, ...]:
        return self.feed(KeyRemoved())

    def cleared(self) -> tuple[Effect, ...]:
        return self.feed(ActivationCleared(self.state.insertion))

    def unclear(self, until: int | None = None) -> tuple[Effect, ...]:
        return self.feed(ClearFailed(self.state.insertion, until))

    def unread(self) -> tuple[Effect, ...]:
        return self.feed(ReadFailed(self.state.insertion))

    def blank(self) -> tuple[Effect, ...]:
        return self.feed(KeyBlank(self.state.insertion))

    def put_in_blank(self) -> tuple[Effect, ...]:
        """Insert, switch off, find that it is nobody's."""
        self.insert()
        self.cleared()
        return self.blank()

    def handed_out(self, which: Key = OWN) -> tuple[Effect, ...]:
        return self.feed(HandedOut(self.state.insertion, which.seen, which.known))

    def not_handed_out(self, told: HandOutTold | None, wait_s: float = 0.0) -> tuple[Effect, ...]:
        return self.feed(HandOutFailed(self.state.insertion, told, wait_s))

    def identified(self, seen: KeySeen | None) -> tuple[Effect, ...]:
        return self.feed(KeyIdentified(self.state.insertion, seen))

    def news(self, which: Key, attempts: Attempts = Attempts()) -> tuple[Effect, ...]:  # noqa: B008
        """Central says so of the key in the socket."""
        return self.feed(MirrorRefreshed(self.state.insertion, which.known, attempts))

    def read(self, which: Key = OWN, attempts: Attempts = Attempts()) -> tuple[Effect, ...]:  # noqa: B008
        return self.feed(KeyRead(self.state.insertion, which.seen, which.known, attempts))

    def put_in(self, which: Key = OWN, attempts: Attempts = Attempts()) -> tuple[Effect, ...]:  # noqa: B008
        """Insert, switch off, read."""
        self.insert()
        self.cleared()
        return self.read(which, attempts)

    def bounce(self, which: Key = OWN, seconds: float = 0.5) -> tuple[Effect, ...]:
        """Out for a moment, and back in as ``which``."""
        self.pull()
        self.wait(seconds)
        return self.put_in(which)

    def type(self, strokes: str) -> tuple[Effect, ...]:
        for stroke in strokes:
            self.feed(KeystrokeTyped(stroke))
        return self.done

    def check_failed(self, which: Key = OWN) -> tuple[Effect, ...]:
        return self.feed(PinCheckFailed(self.state.visit, which.seen))

    def judged(
        self,
        tag: bytes = TAG,
        *,
        which: Key = OWN,
        person: Person | None = None,
        own: PermitEntry | None = None,
        failures: int = 1,
        wait_s: float = 0.0,
        locked: bool = False,
    ) -> tuple[Effect, ...]:
        """The PIN that was typed has this tag."""
        wait_until_s = self.mono_s + wait_s if wait_s else 0.0
        attempts = Attempts(failures, wait_until_s, locked)
        return self.feed(PinChecked(self.state.visit, which.seen, which.known, person, (tag,), own, attempts))

    def wrong(self, failures: int = 1, *, wait_s: float = 0.0, locked: bool = False) -> tuple[Effect, ...]:
        return self.judged(WRONG_TAG, failures=failures, wait_s=wait_s, locked=locked)

    def activated(self) -> tuple[Effect, ...]:
        return self.feed(KeyActivated(self.state.insertion))

    def start_shift(self, which: Key = OWN, person: Person | None = None) -> Grant:
        """A whole visit up to ready."""
        self.put_in(which)
        self.type("*123456#")
        the(CheckPin, self.done)
        grant = the(ActivateKey, self.judged(which=which, person=person)).grant
        self.activated()
        assert self.phase is Phase.READY
        return grant


def _found(which: Key) -> Person | None:
    return {KeyKind.SUBSTITUTE: TIM_FOUND, KeyKind.EMERGENCY: ANNA_FOUND}.get(which.seen.record.kind)


def machine_at(phase: Phase, presence: Presence = Presence.IN, which: Key = OWN) -> Machine:
    """A machine that has come there by inputs that can happen. (``presence`` is of no matter without a visit.)"""
    at = Machine()
    found = _found(which)
    ways: dict[Phase, Callable[[], object]] = {
        Phase.EMPTY: lambda: None,
        Phase.BROKEN: lambda: at.feed(ReaderFailed()),
        Phase.CLEARING: at.insert,
        Phase.READING: lambda: (at.insert(), at.cleared()),
        Phase.PROMPT: lambda: at.put_in(which),
        Phase.CHECKING: lambda: (at.put_in(which), at.type("123456#")),
        Phase.ACTIVATING: lambda: (at.put_in(which), at.type("123456#"), at.judged(which=which, person=found)),
        Phase.READY: lambda: at.start_shift(which, found),
        Phase.REFUSED: lambda: at.put_in(which.but(on_blocklist=True)),
        Phase.STILL_ON: lambda: (at.insert(), at.unclear(NOON + 60)),
        Phase.UNREADABLE: lambda: (at.insert(), at.cleared(), at.unread()),
        Phase.BLANK: at.put_in_blank,
        Phase.HANDING_OUT: lambda: (at.put_in_blank(), at.type(f"{CODE}#")),
        Phase.HANDED_OUT: lambda: (at.put_in_blank(), at.type(f"{CODE}#"), at.handed_out(which)),
        Phase.SWITCHING_OFF: lambda: (at.start_shift(which, found), at.wait(121)),
        Phase.LEFT_IN: lambda: (at.start_shift(which, found), at.wait(121), at.cleared()),
    }
    ways[phase]()
    if phase in {Phase.EMPTY, Phase.BROKEN}:
        presence = Presence.OUT
    elif presence is not Presence.IN:
        at.pull()
        if presence is Presence.RETURNING:
            at.insert()
    assert at.state.place == (phase, presence)
    return at
