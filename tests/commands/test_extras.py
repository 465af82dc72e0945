"""What a station does without the extras: nothing that it needs is among them, and what needs one says which."""

import subprocess
import sys
from pathlib import Path

import pytest

from station.cli import COMMANDS, EXTRA_OF

ROOT = Path(__file__).parents[2]


def without(packages: set[str], code: str) -> subprocess.CompletedProcess[str]:
    """Run some lines where these packages are not installed, as far as Python can tell."""
    away = f"""
import sys
from importlib.abc import MetaPathFinder
class Away(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Away())
import importlib.util as util
whole = util.find_spec
util.find_spec = lambda name, package=None: None if name in {packages} else whole(name, package)
"""
    command = [sys.executable, "-c", away + code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_a_stations_own_commands_need_no_extra() -> None:
    own = sorted(COMMANDS.keys() - {"demo", "emulate"})
    lines = [f"import station.commands.{name}" for name in own] + [
        "import station.app, ui.kiosk, drivers.smp.reader, drivers.smp.session, offline_cache, config",
        "print(sorted(name for name in sys.modules if name in ('smp', 'crcmod')))",
    ]
    done = without({"smp", "crcmod", *EXTRA_OF}, "\n".join(lines))
    assert (done.stdout, done.stderr, done.returncode) == ("[]\n", "", 0)


@pytest.mark.parametrize(
    ("missing", "words", "extra"),
    [
        ("smp", ["emulate", "--link", "key0"], "demo"),
        ("smp", ["demo", "--script", "morning"], "demo"),
        ("pyte", ["demo"], "demo"),
        ("django", ["demo", "--script", "morning"], "central"),
    ],
)
def test_a_command_without_its_extra_says_which(missing: str, words: list[str], extra: str) -> None:
    done = without({missing}, f"from station.cli import main\nsys.exit(main({words}))")
    line = f"{missing} is not installed: install the extra {extra} (pins: requirements/{extra}.txt)"
    assert (done.stdout, done.stderr, done.returncode) == ("", f"station {words[0]}: {line}\n", 1)


def test_a_central_server_without_its_extra_says_so() -> None:
    done = without({"django"}, "from central.cli import main\nsys.exit(main(['rotate-key', 'status']))")
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr == "central: not_installed reason=Django is missing: install the extra `central`\n"
