"""What gets loaded together with the pure parts: a linter sees import lines, a fresh interpreter sees all of it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIST_MODULES = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(getattr(package, "__path__", []), name + "."):
        importlib.import_module(module.name)
print(*sorted(sys.modules))
"""


def loaded(*names: str) -> set[str]:
    """All modules that a fresh interpreter has after importing ``names`` and everything in them."""
    # -S: what .pth files of the environment import at the start is not theirs.
    command = [sys.executable, "-S", "-c", LIST_MODULES, *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def foreign(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] not in sys.stdlib_module_names | {"station", "__main__"}}


PURE = ("station.rules", "station.visit", "station.display")


def test_the_pure_parts_need_nothing_but_the_standard_library() -> None:
    modules = loaded(*PURE)
    assert foreign(modules) == set()
    # `station.records` is the folder that claims live in, and holds no code; claims need `public_keys`.
    allowed = {"station", "station.records", "station.records.claims", "station.records.public_keys"}
    ours = {name for name in modules if name.partition(".")[0] == "station" and not name.startswith(PURE)}
    assert ours <= allowed


def test_the_pure_parts_read_no_clock_and_touch_nothing() -> None:
    # The standard library's own imports would show in sys.modules: here their lines count.
    forbidden = {
        "asyncio",
        "io",
        "os",
        "pathlib",
        "random",
        "secrets",
        "socket",
        "sqlite3",
        "subprocess",
        "threading",
        "time",
    }
    for path in (path for package in PURE for path in (ROOT / package.replace(".", "/")).rglob("*.py")):
        for line in path.read_text("utf-8").splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]):
                assert words[1].partition(".")[0] not in forbidden, f"{path}: {line}"


def test_ports_need_no_adapter() -> None:
    assert foreign(loaded("station.ports")) == set()


@pytest.mark.parametrize("package", ["ui", "drivers", "offline_cache", "config"])
def test_every_package_says_what_lives_there(package: str) -> None:
    text = (ROOT / package / "__init__.py").read_text("utf-8")
    assert text.startswith(('"""', 'r"""')), f"{package}/__init__.py"
