"""Draws docs/pictures/speed.svg, the profile of a visit, from one that is measured now: python -m docs.generate_speed_picture."""

import html
import tempfile
from pathlib import Path

from station.bench.profile import Phase, measured

TARGET = Path(__file__).parent / "pictures" / "speed.svg"
LANES = {
    "wire": ("wire", "#3465a4"),
    "cpu": ("our processor", "#c17d11"),
    "paint": ("paint", "#4e9a06"),
    "disk": ("disk", "#75507b"),
    "argon2": ("Argon2id", "#cc0000"),
}
WIDTH, LEFT, LANE, GAP, HEAD, FOOT = 960, 130, 22, 8, 46, 58


def drawn(phases: list[Phase]) -> str:
    """The picture."""
    panel = HEAD + len(LANES) * (LANE + GAP) + FOOT
    parts = [_panel(phase, number * panel) for number, phase in enumerate(phases)]
    size = f'viewBox="0 0 {WIDTH} {panel * len(phases)}"'
    style = "text { font: 13px sans-serif; fill: #222 } .small { font-size: 10px } .title { font-weight: bold }"
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{style}</style>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _panel(phase: Phase, top: int) -> str:
    scale = (WIDTH - LEFT - 20) / phase.took_s
    rows = [f'<text class="title" x="10" y="{top + 18}">{html.escape(phase.name)}: {1000 * phase.took_s:.1f} ms</text>']
    y = top + HEAD
    for lane, (name, colour) in LANES.items():
        rows.append(f'<text x="10" y="{y + 16}">{name}</text>')
        rows.append(f'<rect x="{LEFT}" y="{y}" width="{WIDTH - LEFT - 20}" height="{LANE}" fill="#eee"/>')
        for begin, end in phase.busy[lane]:
            width = max(0.6, (end - begin) * scale)
            rows.append(
                f'<rect x="{LEFT + begin * scale:.1f}" y="{y}" width="{width:.1f}" height="{LANE}" fill="{colour}"/>'
            )
        y += LANE + GAP
    for begin, about in phase.labels:
        rows.append(
            f'<text class="small" x="{LEFT + begin * scale:.1f}" y="{top + HEAD - 5}">{html.escape(about)}</text>'
        )
    for tick in range(0, int(1000 * phase.took_s) + 1, 10):
        x = LEFT + tick / 1000 * scale
        rows.append(f'<text class="small" x="{x:.1f}" y="{y + 8}">{tick}</text>')
    rows.append(f'<text x="10" y="{y + 32}">{shares(phase)}</text>')
    return "\n".join(rows)


def shares(phase: Phase) -> str:
    """Of what the phase is made up, in percent: each moment counts once, the wire before everything else."""
    names = {"idle": "neither (waiting for its turn, terminal)", **{lane: name for lane, (name, _) in LANES.items()}}
    told = [(names[lane], 100 * alone / phase.took_s) for lane, alone in phase.alone_s().items()]
    return " · ".join(f"{name} {percent:.0f} %" for name, percent in told if percent >= 0.5)


def main() -> None:
    """Measure, draw, and say the shares."""
    with tempfile.TemporaryDirectory() as folder:
        phases = measured(Path(folder))
    TARGET.write_text(drawn(phases), "utf-8")
    for phase in phases:
        print(f"{phase.name}: {1000 * phase.took_s:.1f} ms; {shares(phase)}")  # noqa: T201


if __name__ == "__main__":
    main()
