"""Keeps the last visits for the technician's page and the status file: without a name, without a key's number."""

from collections import deque

from station.display.screen import PastVisit, Screen
from station.ports import Json
from station.records.claims import KeyKind
from station.rules.facts import Refusal
from station.runtime.outcomes import Outcome, outcome_after
from station.visit.state import Phase, Presence, State

VISITS_KEPT = 10
_KINDS = {kind.name.lower(): kind for kind in KeyKind}
_REFUSALS = {refusal.value: refusal for refusal in Refusal}
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)


class PastVisits:
    """Keeps how the last `VISITS_KEPT` visits went, taken from the screens that were shown during them."""

    def __init__(self) -> None:
        self._visits: deque[PastVisit] = deque(maxlen=VISITS_KEPT)
        self._number = 0
        self.outcome: Outcome | None = None
        """How the newest visit stands; None: nothing is known of its key."""
        self.ended = 0
        """The number of the last one whose key was taken out."""

    def take_up(self, rows: object) -> None:
        """Go on with the visits that an earlier kiosk has written, newest first. What is no such list is left out."""
        if self._number:
            return
        for row in reversed(rows if isinstance(rows, list) else []):
            if isinstance(row, dict) and type(row.get("at")) is int:
                kind, outcome, reason = (str(row.get(name)) for name in ("kind", "outcome", "reason"))
                known = outcome if outcome in _OUTCOMES else None
                self._visits.append(PastVisit(row["at"], _KINDS.get(kind), known, _REFUSALS.get(reason)))

    def follow(self, state: State, screen: Screen) -> None:
        """Take in a screen. ``state`` is the machine's, ``screen`` what it shows."""
        if not state.visit:
            return
        if state.visit != self._number:
            self._number, self.outcome = state.visit, None
            self._visits.append(PastVisit(screen.status.unix_s))
        before = self._visits.pop()
        self.outcome = outcome_after(screen.line, self.outcome)
        refusal = before.refusal if self.outcome is Outcome.REFUSED else None
        self._visits.append(
            PastVisit(
                before.unix_s,
                state.seen.record.kind if state.seen is not None else before.kind,
                self.outcome.value if self.outcome is not None else None,
                screen.refusal or refusal,
            )
        )
        if state.presence is Presence.OUT and state.phase is not Phase.BROKEN:
            self.ended = state.visit

    def newest_first(self) -> tuple[PastVisit, ...]:
        """The visits, the newest first: at most `VISITS_KEPT`."""
        return tuple(reversed(self._visits))

    def rows(self) -> list[dict[str, Json]]:
        """Newest first: ``at`` (Unix seconds), ``kind``, ``outcome``, ``reason``; None where it is not known."""
        return [
            {
                "at": visit.unix_s,
                "kind": visit.kind.name.lower() if visit.kind is not None else None,
                "outcome": visit.outcome,
                "reason": visit.refusal.value if visit.refusal is not None else None,
            }
            for visit in self.newest_first()
        ]
