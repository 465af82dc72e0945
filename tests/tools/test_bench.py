"""`make bench`: its figures are there and within their limits, they can fail, and no station needs it."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tools.bench.figures import LIMITS, QUICK_SAMPLES, Figure, paired, table, worst
from tools.bench.line import Piece, answered_at, bytes_between, wire_s
from tools.bench.visits import Phase

ROOT = Path(__file__).parents[2]
SHAPE = {"ratio", "limit", "ours", "against", "unit", "n", "spread"}
WITHOUT_TIME = {"prompt_bytes", "visit_bytes", "refresh_bytes_idle"}


def figures_of(*options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tools.bench", "--quick", "--json", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.slow
@pytest.mark.parametrize(
    "wanted",
    [
        ["event_commit"],
        pytest.param(list(LIMITS), marks=pytest.mark.nightly),
    ],
    ids=["some", "all"],
)
def test_figures_are_told_as_json(wanted: list[str]) -> None:
    figures = figures_of(*(word for name in wanted for word in ("--only", name)))["figures"]
    assert list(figures) == wanted
    for name, figure in figures.items():
        assert figure.keys() == SHAPE, name
        assert figure["ratio"] == pytest.approx(figure["ours"] / figure["against"], rel=0.01), name
        assert figure["n"] >= QUICK_SAMPLES, name
        assert figure["limit"] == LIMITS[name]
        # A machine that does other things as well is allowed ten times as much of what is time.
        room = 1 if name in WITHOUT_TIME else 10
        # Base64 and framing are a third more; what is written is read back, or asked for its hash.
        assert figure["ratio"] <= room * (figure["limit"] or 3.2), name


PASSED = [
    Piece(0.5, to_key=True, size_bytes=10),
    Piece(1.0, to_key=True, size_bytes=10),
    Piece(2.0, to_key=False, size_bytes=60),
    Piece(2.5, to_key=False, size_bytes=40),
    Piece(3.0, to_key=True, size_bytes=47),
    Piece(4.0, to_key=False, size_bytes=127),
    Piece(5.0, to_key=False, size_bytes=47),
]


def test_a_visit_begins_when_the_key_has_answered_for_the_first_time() -> None:
    assert answered_at(PASSED) == 2.5
    assert answered_at(PASSED[:3]) == 2.0, "of an answer that is still on its way, what there is"
    with pytest.raises(ValueError, match="no answer"):
        answered_at(PASSED[:2])
    assert bytes_between(PASSED, 2.5, 4.5) == 47 + 127
    assert wire_s(11520) == 1.0


def test_a_station_that_dawdles_raises_the_ratio() -> None:
    ratios = []
    for dawdled_s in (0.0, 0.5):
        phase = Phase()
        for _ in range(QUICK_SAMPLES):
            passed = [Piece(1.0, to_key=False, size_bytes=9), Piece(2.0, to_key=True, size_bytes=11520)]
            phase.keep(passed, answered_at(passed), 2.0 + dawdled_s, beside_s=0.1)
        ratios.append(phase.time().ratio)
    assert ratios == [pytest.approx(1 / 1.1), pytest.approx(1.5 / 1.1)]


def test_figures_are_medians_and_say_how_far_they_spread() -> None:
    figure = paired([3.0, 1.0, 2.0], [1.0, 1.0, 4.0], "ms")
    shown = {"ratio": 2.0, "limit": 1.5, "ours": 2.0, "against": 1.0, "unit": "ms", "n": 3, "spread": 1.0}
    assert figure.fields(1.5) == shown
    assert paired([5.0], [1.0], "ms").spread == 0.0
    assert worst(paired([1.0], [1.0], "ms"), figure) is figure


def test_the_table_says_what_is_missed() -> None:
    figures = {
        "insert_to_prompt": Figure(40.0, 32.0, "ms", 20, 1.0),
        "pin_to_ready": Figure(160.0, 100.0, "ms", 20, 1.0),
        "start": Figure(450.0, 300.0, "ms", 20, 12.0),
    }
    header, prompt, ready, start = table(figures).splitlines()
    assert header.split() == ["figure", "ratio", "at", "most", "ours", "against", "n", "spread"]
    assert prompt.split()[:4] == ["insert_to_prompt", "1.25", "1.6", "40"]
    assert ready.split()[:4] == ["pin_to_ready", "1.60", "1.5", "missed"]
    assert start.split()[:3] == ["start", "1.50", "450"]


def test_tools_are_not_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "tools" not in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    program = "import sys, station.commands.kiosk, station.commands.run, station.commands.demo; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "station.app" in done.stdout.split()
    assert [name for name in done.stdout.split() if name.startswith("tools")] == []
