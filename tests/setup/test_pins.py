"""Nothing is resolved at install: so each file of pins has all that its packages need, and nothing else."""

import os
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.setup.pins import FILES, ROOT, installs, pin_options, pins
from tools.bill_of_materials import needed

# A lock is made with one of them and good for all.
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def wanted(path: Path) -> list[str]:
    """What is asked for by name, before anything that it needs in turn."""
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project = whole["project"]
    if path.stem == "build":
        lines = (ROOT / "requirements" / "build.in").read_text("utf-8").splitlines()
        return [*whole["build-system"]["requires"], *(line for line in lines if not line.startswith("#"))]
    extras = project["optional-dependencies"]
    asked_for = {
        "base": [],
        "central": ["central"],
        "postgresql": ["central", "postgresql"],
        "demo": ["central", "demo"],
        "dev": list(extras),
    }[path.stem]
    return [*project["dependencies"], *(each for extra in asked_for for each in extras[extra])]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_of_pins_is_complete(path: Path) -> None:
    pinned = pins(path)
    # What is asked for is read from what is installed.
    assert {name: version(name) for name in pinned} == pinned
    reached = set()
    for python in PYTHONS:
        environment = {"python_version": python, "python_full_version": f"{python}.0"}
        for who, requirements in needed(wanted(path), environment).items():
            for each in requirements:
                name = canonicalize_name(each.name)
                assert name in pinned, f"{who} needs {each} on Python {python}"
                assert each.specifier.contains(pinned[name], prereleases=True), f"{who} needs {each}"
                reached.add(name)
    assert reached == pinned.keys()


def test_make_installs_nothing_but_pins_and_this_project() -> None:
    found = installs()
    assert {words[-1] for words in found} == {
        "requirements/build.txt",
        "requirements/demo.txt",
        "requirements/dev.txt",
        ".",
    }
    for words in found:
        assert "--no-deps" in words
        assert "--no-build-isolation" in words
        assert ("--require-hashes" in words) != ("--no-index" in words)


def test_only_what_has_no_wheel_is_built() -> None:
    assert {"--only-binary=:all:", "--no-binary=crcmod"} <= set(pin_options())


def test_whoever_follows_the_documentation_resolves_nothing_either() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*"), ROOT / ".ci" / "run"]
    for page in pages:
        if page.is_file():
            for line in page.read_text("utf-8").replace("\\\n", " ").splitlines():
                if re.search(r"\bpip3? (install|download)\b", line) and line.lstrip().startswith("$"):
                    assert "--no-deps" in line, f"{page}: {line}"
                    assert "--require-hashes" in line or "--no-index" in line, f"{page}: {line}"
                assert not re.search(r"\bnpm (install|i)\b|\bnpx\b|curl .*\| *(ba)?sh", line), f"{page}: {line}"


def test_a_second_demo_installs_nothing_and_its_first_no_tools(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")

    def would_run() -> list[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        command = ["make", "--dry-run", "demo"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    first = "\n".join(would_run())
    assert "requirements/demo.txt" in first
    assert "requirements/dev.txt" not in first
    # As the first leaves it.
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    (tmp_path / ".venv" / "installed-demo").touch()
    (tmp_path / "requirements" / "dev.txt").touch()
    assert [line.strip() for line in would_run()] == [".venv/bin/station demo"]
    later = (tmp_path / ".venv" / "installed-demo").stat().st_mtime + 5
    os.utime(tmp_path / "requirements" / "demo.txt", (later, later))
    assert "requirements/demo.txt" in "\n".join(would_run())
