"""What is measured: a ratio of two medians of the same run, with the spread of ours and the most that it may be."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

SAMPLES = 20
"""No median of fewer, but for ``--quick``."""
QUICK_SAMPLES = 3

LIMITS: Final[Mapping[str, float | None]] = {
    "insert_to_prompt": 1.6,
    "insert_to_prompt_central_dead": 1.6,
    "pin_to_ready": 1.5,
    "prompt_bytes": 1.0,
    "visit_bytes": None,
    "transfer_vs_mcumgr_toolkit": 1.25,
    "transfer_vs_smpclient": None,
    "key_to_paint": None,
    "start": None,
    "memory": None,
    "event_commit": None,
    "lookup_200k_vs_1k": 2.0,
    "refresh_bytes_idle": None,
}
"""Every figure, in the order of the table, and the highest ratio that it may have."""


@dataclass(frozen=True, slots=True)
class Figure:
    """``ours`` against ``against``, both medians in ``unit``; ``spread`` is the interquartile range of ours."""

    ours: float
    against: float
    unit: str
    n: int
    spread: float

    @property
    def ratio(self) -> float:
        """Below 1 is better than what it is measured against."""
        return self.ours / self.against

    def fields(self, limit: float | None) -> dict[str, Any]:
        """As ``--json`` has it."""
        rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}
        return {"ratio": round(self.ratio, 4), "limit": limit, **rounded}


def paired(ours: Sequence[float], against: Sequence[float], unit: str) -> Figure:
    """The figure of samples that were taken in turn. Raises ValueError for no samples."""
    low, _, high = statistics.quantiles(ours, n=4, method="inclusive") if len(ours) > 1 else (0.0, 0.0, 0.0)
    return Figure(statistics.median(ours), statistics.median(against), unit, len(ours), high - low)


def worst(*figures: Figure) -> Figure:
    """The one with the highest ratio."""
    return max(figures, key=lambda figure: figure.ratio)


def table(figures: Mapping[str, Figure]) -> str:
    """As on a terminal: a line for each figure."""
    rows = [("figure", "ratio", "at most", "ours", "against", "n", "spread")]
    for name, figure in figures.items():
        limit = LIMITS[name]
        most = "" if limit is None else f"{limit:g}" if figure.ratio <= limit else f"{limit:g} missed"
        ours, against, spread = (f"{each:.4g} {figure.unit}" for each in (figure.ours, figure.against, figure.spread))
        rows.append((name, f"{figure.ratio:.2f}", most, ours, against, str(figure.n), spread))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
