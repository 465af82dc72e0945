"""`station bench`: its figures are there, they can fail, and the bytes of a visit keep to their limits."""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivers.emulated_key.folder import KeyFolder
from station.bench import wire_bytes
from station.bench.figures import QUICK_SAMPLES, Figure, NotMeasured, paired, spread, worse
from station.bench.key_line import KeyLine, Piece, between, echoed_at, late_s
from station.bench.site import BenchSite
from station.commands import bench
from station.display.screen import Line, Screen
from station.ports import KeyFile
from station.services.pin_work import PinWork

ROOT = Path(__file__).parents[2]
SHAPE = {"ratio", "ours", "against", "unit", "n", "spread"}
LIMITS = {
    "transfer_vs_mcumgr_toolkit": 1.0,
    "transfer_vs_smpclient": 1.0,
    "event_commit": 1.3,
    "lookup_200k_vs_1k": 2.0,
}
"""Those that are measured without a kiosk. A loaded machine is allowed ten times as much."""


def told(*options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "station", "bench", "--quick", "--json", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.slow
def test_the_figures_are_told_as_json() -> None:
    only = [word for name in (*LIMITS, "prompt_bytes", "visit_bytes") for word in ("--only", name)]
    answer = told(*only)
    missing = answer.get("not_measured", {})
    assert answer.keys() == ({"figures", "not_measured"} if missing else {"figures"})
    assert answer["figures"].keys() | missing.keys() == {*LIMITS, "prompt_bytes", "visit_bytes"}
    for name, figure in answer["figures"].items():
        assert figure.keys() == SHAPE, name
        assert figure["ratio"] == pytest.approx(figure["ours"] / figure["against"], rel=0.01), name
        assert figure["ratio"] < 10 * LIMITS.get(name, 1.0), name
        assert figure["n"] >= QUICK_SAMPLES, name
    assert answer["figures"]["prompt_bytes"]["ratio"] <= 1.0


@pytest.mark.slow
async def test_a_prompt_keeps_to_its_bytes(tmp_path: Path) -> None:
    count = await wire_bytes.counted(tmp_path)
    assert 0 < count.off_bytes <= 700
    assert count.off_bytes < count.active_bytes <= 900
    assert count.content_bytes < count.visit_bytes < 9000


@pytest.mark.slow
async def test_a_service_that_dawdles_raises_the_ratio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await insertion_ratio(made(tmp_path / "as-it-is")) < 10 * 1.15
    real = PinWork.look_up

    async def dawdling(self: PinWork, key: int) -> Any:
        await asyncio.sleep(3)
        return await real(self, key)

    monkeypatch.setattr(PinWork, "look_up", dawdling)
    assert await insertion_ratio(made(tmp_path / "dawdling")) > 10 * 1.15


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


async def insertion_ratio(folder: Path) -> float:
    """From the key's first answer to the prompt's snapshot, against the time of the bytes, at 115200 baud."""
    site = BenchSite(folder, folder / "reader")
    await site.fill(site.objects())
    key = KeyFolder(folder / "key")
    key.store(KeyFile.ID.value, site.id_record)
    key.store_state(replace(key.state(), clock_offset_s=0.0))
    prompted = asyncio.Event()
    shown_at = 0.0

    def show(screen: Screen) -> None:
        nonlocal shown_at
        if screen.line is Line.PROMPT and not prompted.is_set():
            shown_at = time.monotonic()  # as the line has it, in a process of its own
            prompted.set()

    with KeyLine(folder / "reader") as line:
        async with site.station() as station:
            visits = station.serve(station.key_socket(), show=show, ring=lambda: None)
            running = asyncio.create_task(visits.run())
            line.insert(folder / "key")
            async with asyncio.timeout(20):
                await prompted.wait()
            passed = line.passed()
            running.cancel()
            await asyncio.wait([running])
        begin = echoed_at(passed)
        assert begin is not None
        return (shown_at - begin) / line.wire_s(between(passed, begin, shown_at))


def test_figures_are_medians_and_say_how_far_they_spread() -> None:
    figure = paired([3.0, 1.0, 2.0], [1.0, 1.0, 4.0], "ms")
    assert figure.fields() == {"ratio": 2.0, "ours": 2.0, "against": 1.0, "unit": "ms", "n": 3, "spread": 1.0}
    assert spread([5.0]) == 0.0
    better = paired([1.0], [1.0], "ms")
    assert worse(better, figure) is figure
    missing = NotMeasured("not installed: a-client")
    assert worse(figure, missing) is missing


def test_the_table_says_what_is_missing() -> None:
    table = bench.table({"start": Figure(450.0, 300.0, "ms", 20, 12.0), "memory": NotMeasured("no such thing here")})
    header, start, memory = table.splitlines()
    assert header.split() == ["figure", "ratio", "ours", "against", "n", "spread"]
    assert start.split()[:2] == ["start", "1.50"]
    assert "not measured: no such thing here" in memory


def test_what_the_line_was_late_by_is_not_ours() -> None:
    passed = [
        Piece(1.0, to_key=True, size_bytes=10, about="echo", late_s=0.0),
        Piece(2.0, to_key=False, size_bytes=10, about="echo", late_s=0.5),
        Piece(3.0, to_key=True, size_bytes=47, about="read act", late_s=0.0),
        Piece(4.0, to_key=False, size_bytes=127, about="read act", late_s=0.25),
        Piece(5.0, to_key=False, size_bytes=47, about="read act", late_s=0.125),
    ]
    assert echoed_at(passed) == 2.0
    assert between(passed, 2.0, 4.5) == 47 + 127
    assert late_s(passed, 2.0, 6.0) == 0.125, "only the end of an answer is waited for"
    assert echoed_at(passed[2:]) is None


def test_a_running_station_loads_none_of_it() -> None:
    program = "import sys, station.commands.kiosk, station.commands.run; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "station.app" in done.stdout.split()
    assert [name for name in done.stdout.split() if name.startswith("station.bench")] == []


def test_without_the_central_server_it_says_so() -> None:
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['django', 'ninja', 'mcumgr_toolkit', 'smpclient']));"
        "from station.bench import place, screen, transfers, visits, wire_bytes; print(place.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "station.bench.place"
    told = bench.table({"pin_to_ready": bench.NO_CENTRAL})
    assert "not measured: the central server is not installed" in told
