"""What `station --version` and `central --version` say in a checkout and in a copy; test_dist.py has the wheel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from station.version import VERSION
from tests.setup.pins import ROOT, take_commit_out

COMMANDS = {"station": "station", "central": "central.cli"}


def said(name: str, folder: Path) -> str:
    command = [sys.executable, "-m", COMMANDS[name], "--version"]
    return subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True
    ).stdout


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The two programs' files without their history, in a folder of somebody else's repository."""
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=Not ours")
    folder = tmp_path / "copy"
    for name in ("station", "central"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    take_commit_out(folder)
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_a_copy_does_not_know_its_commit(copy: Path, name: str) -> None:
    assert said(name, copy) == f"{name} {VERSION} (commit unknown)\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_checkout_says_its_commit_and_whether_it_was_changed(copy: Path, name: str) -> None:
    git(copy, "init", "--quiet")
    git(copy, "add", "--all")
    git(copy, "commit", "--quiet", "--message=Ours")
    commit = git(copy, "rev-parse", "--short=12", "HEAD")
    assert said(name, copy) == f"{name} {VERSION} (commit {commit})\n"
    with (copy / "station" / "errors.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert said(name, copy) == f"{name} {VERSION} (commit {commit}-dirty)\n"
