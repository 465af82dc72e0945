"""Any sequence of events: what must hold whatever happens."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from station.display.screen import Line
from station.rules.facts import Attempts, OffOnlyReason, Refusal
from station.rules.hand_out import CODE_DIGITS, HandOutTold
from station.visit.effects import (
    ActivateKey,
    CheckPin,
    ClearActivation,
    Effect,
    EndVisit,
    GiveCountBack,
    HandOut,
    IdentifyKey,
    PrepareKey,
    ReadKey,
)
from station.visit.entry import Entry
from station.visit.inputs import (
    ActivationCleared,
    ActivationFailed,
    ClearFailed,
    HandedOut,
    HandOutFailed,
    KeyActivated,
    KeyBlank,
    KeyIdentified,
    KeyInserted,
    KeyRead,
    KeyRemoved,
    KeystrokeTyped,
    MirrorRefreshed,
    PinChecked,
    PinCheckFailed,
    ReaderFailed,
    ReaderRecovered,
    ReadFailed,
    StationChanged,
    TimePassed,
    VisitInput,
)
from station.visit.machine import TABLE, step
from station.visit.state import KeyIs, Phase, Presence
from tests.visit.visiting import (
    ANNA_FOUND,
    EMERGENCY,
    NOON,
    OTHER,
    OWN,
    STATION,
    SUBSTITUTE,
    TAG,
    TIM_FOUND,
    WRONG_TAG,
    Key,
    Machine,
    handed_on,
)

KEYS = [OWN, OTHER, SUBSTITUTE, EMERGENCY, OWN.but(on_blocklist=True), SUBSTITUTE.but(unit=None)]
SECRET = "918273"
SECRET_CODE = f"{SECRET}0000"
KEY_EFFECTS = ClearActivation | ReadKey | IdentifyKey | PrepareKey | ActivateKey | HandOut

keys = st.sampled_from(KEYS)
attempts = st.builds(Attempts, st.integers(0, 11), st.sampled_from([0.0, 1010.0]), st.booleans())
refusals = st.sampled_from([Refusal.KEY_FAULT, Refusal.STATION])
persons = st.sampled_from([None, ANNA_FOUND, TIM_FOUND])
tags = st.sampled_from([TAG, WRONG_TAG])
seconds = st.sampled_from([0.1, 1.0, 2.9, 3.1, 4.9, 5.1, 20.0, 31.0, 121.0])
strokes = st.sampled_from("0123456789*#\b")
off_only_reasons = st.sampled_from([None, None, *OffOnlyReason])


def comparable(value: Any) -> Any:
    """Two entries are equal when their digits are; the class itself does not offer that."""
    if isinstance(value, Entry):
        return value.reveal(), value.complete
    if isinstance(value, tuple):
        return tuple(comparable(v) for v in value)
    if hasattr(value, "__slots__") and hasattr(value, "__dataclass_fields__"):
        return type(value).__name__, tuple(comparable(getattr(value, f)) for f in value.__dataclass_fields__)
    return value


@dataclass
class Insertion:
    """What the machine has asked for since a key was put in."""

    number: int
    asked: list[Effect]
    was_ready: bool


class Visits(RuleBasedStateMachine):
    """Anything may happen at any time, plausible or not; the model only remembers what was asked and answered."""

    def __init__(self) -> None:
        super().__init__()
        self.at = Machine()
        self.begun = 0
        self.ended = 0
        self.checks: set[int] = set()
        self.granted: set[int] = set()
        self.insertion = Insertion(0, [], was_ready=False)
        self.shown: list[str] = []

    def feed(self, received: VisitInput) -> None:
        before = self.at.state
        again, effects_again = step(before, received, self.at.now)
        effects = self.at.feed(received)
        after = self.at.state
        assert comparable(again) == comparable(after)
        assert comparable(effects_again) == comparable(effects)
        assert after.place in TABLE[before.place][type(received)].targets | {before.place}
        self.begun += after.visit - before.visit
        self.ended += sum(isinstance(e, EndVisit) for e in effects)
        if after.insertion != self.insertion.number:
            self.insertion = Insertion(after.insertion, [], was_ready=before.phase is Phase.READY)
        self._asked(effects)
        right = isinstance(received, PinChecked) and received.visit == before.visit and TAG in received.pin_tags
        if right and before.visit in self.checks and after.grant is not None:
            self.granted.add(before.visit)
        for effect in effects:
            if isinstance(effect, ActivateKey):
                assert after.visit in self.granted, "activated without a right PIN of this visit"
                assert after.presence is Presence.IN
                assert effect.seen.id_record == after.seen.id_record  # type: ignore[union-attr]
                assert effect.grant.key == effect.seen.record.key
        self.shown += [repr(received), repr(effects), repr(after), repr(self.at.screen)]
        del self.shown[:-40]

    def _asked(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if isinstance(effect, CheckPin):
                assert effect.visit == self.at.state.visit
                assert len(effect.entry) > 0
                self.checks.add(effect.visit)
            if isinstance(effect, HandOut):
                assert len(effect.code) == CODE_DIGITS
                assert self.at.state.act is KeyIs.OFF
            if isinstance(effect, KEY_EFFECTS):
                assert effect.insertion == self.insertion.number
                if not self.insertion.asked:
                    identify = self.insertion.was_ready and isinstance(effect, IdentifyKey)
                    assert identify or isinstance(effect, ClearActivation)
                self.insertion.asked.append(effect)

    @rule()
    def key_in(self) -> None:
        self.feed(KeyInserted(self.at.state.insertion + 1))

    @rule(received=st.sampled_from([KeyRemoved(), TimePassed()]))
    def socket(self, received: VisitInput) -> None:
        self.feed(received)

    @rule(received=st.sampled_from([ReaderFailed(), ReaderRecovered(), ReaderRecovered()]))
    def reader(self, received: VisitInput) -> None:
        self.feed(received)

    @rule(pause=seconds)
    def time(self, pause: float) -> None:
        self.at.mono_s += pause
        self.at.unix_s += int(pause)
        self.feed(TimePassed())

    @rule(which=keys, readiness=attempts)
    def usual(self, which: Key, readiness: Attempts) -> None:
        """In, off, read: without this most sequences would get nowhere."""
        self.key_in()
        self.feed(ActivationCleared(self.at.state.insertion))
        self.feed(KeyRead(self.at.state.insertion, which.seen, which.known, readiness))

    @rule()
    def blank(self) -> None:
        """A blank key, and its code."""
        self.key_in()
        self.feed(ActivationCleared(self.at.state.insertion))
        self.feed(KeyBlank(self.at.state.insertion))
        for stroke in f"{SECRET_CODE}#":
            self.feed(KeystrokeTyped(stroke))

    @rule()
    def pin(self) -> None:
        for stroke in f"*{SECRET}#":
            self.feed(KeystrokeTyped(stroke))

    @rule(stroke=strokes)
    def keystroke(self, stroke: str) -> None:
        self.feed(KeystrokeTyped(stroke))

    @rule(which=keys, person=persons, tag=tags, readiness=attempts, stale=st.booleans())
    def verdict(self, which: Key, person: Any, tag: bytes, readiness: Attempts, stale: bool) -> None:
        visit = self.at.state.visit - stale
        self.feed(PinChecked(visit, which.seen, which.known, person, (tag,), None, readiness))

    @rule()
    def right(self) -> None:
        seen = self.at.state.seen
        which = next((k for k in KEYS if seen is not None and k.seen == seen), OWN)
        found = TIM_FOUND if which is SUBSTITUTE else ANNA_FOUND
        self.feed(PinChecked(self.at.state.visit, which.seen, which.known, found, (TAG,), None, Attempts(1)))

    @rule()
    def not_checked(self) -> None:
        self.feed(PinCheckFailed(self.at.state.visit, OWN.seen))

    @rule(
        which=keys,
        readiness=attempts,
        refusal=refusals,
        kind=st.integers(0, 11),
        stale=st.sampled_from([0, 0, 0, 1]),
    )
    def answer(self, which: Key, readiness: Attempts, refusal: Refusal, kind: int, stale: int) -> None:
        insertion = self.at.state.insertion - stale
        answers: list[VisitInput] = [
            ActivationCleared(insertion),
            ClearFailed(insertion, NOON),
            KeyRead(insertion, which.seen, which.known, readiness),
            ReadFailed(insertion),
            KeyIdentified(insertion, which.seen),
            KeyActivated(insertion),
            ActivationFailed(insertion, refusal),
            MirrorRefreshed(insertion, which.known, readiness),
            MirrorRefreshed(insertion, handed_on(which).known, readiness),
            KeyBlank(insertion),
            HandedOut(insertion, which.seen, which.known),
            HandOutFailed(insertion, HandOutTold.NO_ANSWER, 5.0),
        ]
        self.feed(answers[kind])

    @rule(off_only=off_only_reasons)
    def station(self, off_only: OffOnlyReason | None) -> None:
        self.feed(StationChanged(replace(STATION, off_only=off_only)))

    @invariant()
    def every_visit_ends_once(self) -> None:
        open_visit = self.at.phase not in {Phase.EMPTY, Phase.BROKEN}
        assert self.begun - self.ended == open_visit

    @invariant()
    def a_key_that_is_out_has_its_farewell_and_no_other_has(self) -> None:
        state = self.at.state
        if state.presence is not Presence.OUT:
            assert state.farewell is None
        elif state.phase not in {Phase.EMPTY, Phase.BROKEN}:
            assert state.farewell is not None

    @invariant()
    def nothing_is_said_of_a_key_that_has_not_said_which_it_is(self) -> None:
        state, screen = self.at.state, self.at.screen
        if state.presence is Presence.RETURNING or (state.farewell is not None and not state.farewell.named):
            said = (screen.key, screen.kind, screen.holder_name, screen.unit_name, screen.receipt, screen.refusal)
            assert set(said) == {None}

    @invariant()
    def a_refusal_has_its_reason_and_a_prompt_has_none(self) -> None:
        state = self.at.state
        assert (state.refusal is not None) == (state.phase is Phase.REFUSED) or state.presence is Presence.OUT
        assert not state.pin_was_wrong or state.phase is Phase.PROMPT or state.presence is Presence.OUT

    @invariant()
    def ready_is_granted(self) -> None:
        state = self.at.state
        if self.at.line() in {Line.READY, Line.OUT_READY}:
            assert state.visit in self.granted
            assert self.at.screen.receipt is not None

    @invariant()
    def digits_are_where_they_may_count_and_nowhere_else(self) -> None:
        if len(self.at.state.entry):
            before_the_prompt = {Phase.CLEARING, Phase.READING, Phase.PROMPT, Phase.BLANK}
            assert self.at.phase in before_the_prompt or self.at.presence is not Presence.IN
            assert self.at.phase not in {Phase.CHECKING, Phase.ACTIVATING, Phase.READY, Phase.EMPTY, Phase.BROKEN}

    @invariant()
    def nothing_secret_shows(self) -> None:
        assert not [text for text in self.shown if SECRET in text or "stroke='" in text]


TestVisits = pytest.mark.slow(Visits.TestCase)


def test_a_grant_that_was_never_used_is_not_a_wrong_pin() -> None:
    """What `GiveCountBack` at the end of a visit is for; that it comes once is the machine's invariant."""
    at = Machine()
    at.put_in()
    at.type("123456#")
    at.pull()
    at.judged()
    at.wait(6)
    at.wait(40)
    assert sum(isinstance(e, GiveCountBack) for e in at.everything) == 1
