"""A stranger's release changes nothing, whatever pip a machine has: in this index every package has a newer one."""

import json
import os
import re
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.setup.pins import FILES, pin_options, pins
from tests.setup.stub_index import NEWER, StubIndex

pytestmark = pytest.mark.slow

# Older ones do not run on a Python newer than 3.11.
OLDEST = (23, 2) if sys.version_info >= (3, 12) else (22, 3)
PIPS = {
    version: line
    for line in (Path(__file__).with_name("pips.txt").read_text("utf-8").splitlines())
    if (version := line.partition("==")[2].partition(" ")[0]) and tuple(map(int, version.split(".")[:2])) >= OLDEST
}
"""From the oldest to the newest."""
FIRST, *BETWEEN, LAST = PIPS


def run(command: list[str], **environment: str) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def pip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one pip, which runs from there. It comes from where this machine gets its packages."""
    folder = tmp_path_factory.mktemp("pip")
    wanted = folder / "wanted.txt"
    wanted.write_text(PIPS[request.param], "utf-8")
    download = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
    ]
    run([*download, f"--dest={folder}", f"--requirement={wanted}"], **os.environ)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    return folder / "pip"


@pytest.fixture(scope="module")
def options() -> list[str]:
    return pin_options()


@pytest.fixture(scope="module")
def index(options: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[StubIndex, dict[str, Path]]:
    """The index, and the files of pins with the stubs' hashes."""
    folder = tmp_path_factory.mktemp("index")
    stubs = StubIndex(folder / "simple")
    source_only = {name for each in options if each.startswith("--no-binary=") for name in each[12:].split(",")}
    pinned: dict[str, str] = {}
    for path in FILES:
        pinned |= pins(path)
    hashes = {name: stubs.add(name, each, source_only=name in source_only) for name, each in pinned.items()}
    files = {}
    for path in FILES:
        text = re.sub(r"(\s*\\\n\s*--hash=\S+)+", "", path.read_text("utf-8"))
        files[path.name] = folder / path.name
        files[path.name].write_text(
            re.sub(r"^([a-z0-9-]+)==.*", lambda m: f"{m[0]} --hash=sha256:{hashes[m[1]]}", text, flags=re.MULTILINE),
            "utf-8",
        )
    return stubs, files


@pytest.mark.parametrize(
    "pip", [FIRST, LAST, *(pytest.param(each, marks=pytest.mark.nightly) for each in BETWEEN)], indirect=True
)
def test_exactly_the_pins(
    pip: Path, options: list[str], index: tuple[StubIndex, dict[str, Path]], tmp_path: Path
) -> None:
    stubs, files = index

    def resolved(name: str) -> dict[str, str]:
        report = tmp_path / f"{name}.json"
        command = [sys.executable, str(pip), "--no-cache-dir", "--disable-pip-version-check", "install", *options]
        command += ["--dry-run", "--ignore-installed", f"--report={report}", f"--index-url={stubs.url}"]
        # Without this machine's own settings for pip.
        alone = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
        run([*command, "-r", str(files[name])], **alone)
        found = [each["metadata"] for each in json.loads(report.read_text("utf-8"))["install"]]
        return {each["name"]: each["version"] for each in found}

    with ThreadPoolExecutor(2) as threads:
        found = dict(zip(files, threads.map(resolved, files), strict=True))
    assert found == {path.name: pins(path) for path in FILES}


def test_the_index_has_a_newer_release_of_everything(index: tuple[StubIndex, dict[str, Path]], tmp_path: Path) -> None:
    """Else the test above could not fail: without pins the newer ones are taken."""
    stubs, _ = index
    report = tmp_path / "report.json"
    alone = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    names = sorted(set().union(*map(pins, FILES)))
    command = [sys.executable, "-m", "pip", "--no-cache-dir", "install", "--no-build-isolation", "--no-deps"]
    command += ["--dry-run", "--ignore-installed", "--quiet", f"--report={report}", f"--index-url={stubs.url}", *names]
    run(command, **alone)
    found = [each["metadata"] for each in json.loads(report.read_text("utf-8"))["install"]]
    assert {each["name"]: each["version"] for each in found} == dict.fromkeys(names, NEWER)
