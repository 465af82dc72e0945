"""The table: a row for each measurement, in Markdown that can be pasted into docs/explanation/scale.md."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tools.load.place import Database
from tools.load.traffic import Answers, Heard


@dataclass(frozen=True)
class Row:
    """One measurement. Times in milliseconds, processor in cores, memory in MiB."""

    size: str
    database: str
    share: float
    polls_a_second: float
    events_a_second: float
    poll_ms: tuple[float, float, float]
    """p50, p95, p99."""
    events_ms: tuple[float, float, float]
    """Of a post of twelve."""
    pages_ms: Mapping[str, float]
    """The median of each."""
    page_worst_ms: float
    errors: Mapping[str, int]
    cores: Mapping[str, float]
    memory_mib: Mapping[str, float]
    connections: int
    news: int
    behind_ms: float

    @property
    def worst_p99_ms(self) -> float:
        """Of polls and events."""
        return max(self.poll_ms[2], self.events_ms[2])

    def is_good(self, p99_limit_ms: float) -> bool:
        """Whether the rate was held, without errors."""
        return not self.errors and self.worst_p99_ms < p99_limit_ms

    def fields(self) -> dict[str, Any]:
        """As ``--json`` has it."""
        return asdict(self)


def row_of(
    size: str,
    place: Database,
    share: float,
    heard: Heard,
    used_s: Mapping[str, float],
    memory: Mapping[str, float],
    connections: int,
) -> Row:
    """What came of a run."""
    every = {"poll": heard.polls, "events": heard.events, **heard.pages}
    return Row(
        size=size,
        database="PostgreSQL" if place.url else "SQLite",
        share=share,
        polls_a_second=len(heard.polls.took_s) / heard.seconds,
        events_a_second=heard.accepted / heard.seconds,
        poll_ms=_quantiles(heard.polls),
        events_ms=_quantiles(heard.events),
        pages_ms={name: answers.quantile_ms(0.5) for name, answers in heard.pages.items()},
        page_worst_ms=max((answers.quantile_ms(1.0) for answers in heard.pages.values()), default=0.0),
        errors={f"{name} {what}": n for name, answers in every.items() for what, n in answers.errors.items()},
        cores={name: spent / heard.seconds for name, spent in used_s.items()},
        memory_mib=dict(memory),
        connections=connections,
        news=heard.news,
        behind_ms=heard.behind_ms,
    )


def markdown(rows: Sequence[Row]) -> str:
    """The table."""
    head = (
        *("size", "database", "connections", "polls/s", "events/s", "poll p50/p95/p99 ms", "12 events p50/p95/p99 ms"),
        *("pages p50 ms (worst)", "errors", "cores", "MiB"),
    )
    lines = [head, ("---",) * len(head), *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    pages = ", ".join(f"{name} {ms:.0f}" for name, ms in row.pages_ms.items())
    errors = ", ".join(f"{n} × {what}" for what, n in row.errors.items())
    return (
        row.size,
        row.database,
        str(row.connections),
        f"{row.polls_a_second:.1f}",
        f"{row.events_a_second:.0f}",
        " / ".join(f"{ms:.0f}" for ms in row.poll_ms),
        " / ".join(f"{ms:.0f}" for ms in row.events_ms),
        f"{pages} ({row.page_worst_ms:.0f})",
        errors or "none",
        ", ".join(f"{name} {cores:.2f}" for name, cores in row.cores.items()),
        ", ".join(f"{name} {mib:.0f}" for name, mib in row.memory_mib.items()),
    )


def _quantiles(answers: Answers) -> tuple[float, float, float]:
    return answers.quantile_ms(0.5), answers.quantile_ms(0.95), answers.quantile_ms(0.99)
