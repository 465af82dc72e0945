"""What is measured: a ratio of two medians of the same run, with the spread of ours."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

SAMPLES = 20
"""No median of fewer, but for ``--quick``."""
QUICK_SAMPLES = 3


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

    def fields(self) -> dict[str, Any]:
        """As ``--json`` has it."""
        rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}
        return {"ratio": round(self.ratio, 4), **rounded}


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """Why there is no figure."""

    why: str


Found: TypeAlias = Figure | NotMeasured
Say: TypeAlias = Callable[[str], None]
"""Tells whoever waits what is being measured."""


def paired(ours: Sequence[float], against: Sequence[float], unit: str) -> Figure:
    """The figure of samples that were taken in turn. What they are against differs from sample to sample.

    The ratio is that of the medians. Raises ValueError for no samples.
    """
    return Figure(statistics.median(ours), statistics.median(against), unit, len(ours), spread(ours))


def spread(samples: Sequence[float]) -> float:
    """The interquartile range; 0 for a single sample."""
    if len(samples) < 2:
        return 0.0
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return high - low


def worse(*found: Found) -> Found:
    """Of several figures the one with the highest ratio; what could not be measured counts as worst."""
    missing = [each for each in found if isinstance(each, NotMeasured)]
    if missing:
        return missing[0]
    return max((each for each in found if isinstance(each, Figure)), key=lambda each: each.ratio)
