"""`make dist`: what others install. In a repository of its own, of the files as they are here."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from cyclonedx.model.bom import Bom

from station.version import VERSION
from tests.architecture.test_repository import tracked
from tests.setup.pins import FILES, ROOT, pin_options, pins, take_commit_out

pytestmark = pytest.mark.slow
WHEEL, SDIST, BILL = (f"sync_station-{VERSION}{end}" for end in ("-py3-none-any.whl", ".tar.gz", ".cdx.json"))
LANGUAGES = ("sv", "da", "nb", "fi")
CATALOGUES = {f"ui/locale/{each}/LC_MESSAGES/ui.mo" for each in LANGUAGES} | {
    f"central/office/locale/{each}/LC_MESSAGES/django.mo" for each in LANGUAGES
}
GIT = {
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "2026-02-03T04:05:06Z",
    "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.org", "GIT_COMMITTER_DATE": "2026-02-03T04:05:06Z",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
}  # fmt: skip


def run(command: list[str], folder: Path, **environment: str) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PYTHON"))} | environment
    done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True)
class Built:
    """What was built, and of which commit."""

    repository: Path
    commit: str

    @property
    def folder(self) -> Path:
        return self.repository / "dist"


def make_dist(repository: Path) -> dict[str, str]:
    """Hash by name of what is in `dist/` then."""
    # As if installing had just been done: that is another test's matter.
    run(["make", f"VENV={sys.prefix}", "--assume-old=install", "dist"], repository)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (repository / "dist").iterdir()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    repository = tmp_path_factory.mktemp("repository")
    for path in tracked():
        copy = repository / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    take_commit_out(repository)
    run(["git", "init", "--quiet"], repository, **GIT)
    run(["git", "add", "--all"], repository, **GIT)
    run(["git", "commit", "--quiet", "--message=All"], repository, **GIT)
    commit = run(["git", "rev-parse", "HEAD"], repository).strip()
    make_dist(repository)
    return Built(repository, commit)


def test_the_same_bytes_each_time(built: Built) -> None:
    first = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in built.folder.iterdir()}
    assert first.keys() == {WHEEL, SDIST, BILL, "SHA256SUMS"}
    # What lies about is not built, and a file's time and mode do not count.
    (built.repository / "station" / "lies_about.py").write_text("", "utf-8")
    (built.repository / "station" / "cli.py").touch()
    assert make_dist(built.repository) == first


def test_the_checksums_are_of_all_files(built: Built) -> None:
    told = dict(line.split()[::-1] for line in (built.folder / "SHA256SUMS").read_text("utf-8").splitlines())
    assert told == {
        name: hashlib.sha256((built.folder / name).read_bytes()).hexdigest() for name in (WHEEL, SDIST, BILL)
    }


def test_the_wheel_has_the_program_and_the_sdist_everything(built: Built) -> None:
    with zipfile.ZipFile(built.folder / WHEEL) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        # The last commit's time, in the two seconds that a zip archive can tell.
        assert {each.date_time for each in wheel.infolist()} == {(2026, 2, 3, 4, 5, 6)}
    ours = {path.relative_to(ROOT).as_posix() for path in tracked()}
    packages = ("station/", "ui/", "drivers/", "offline_cache/", "config/", "central/")
    assert names == {name for name in ours if name.startswith(packages)} | CATALOGUES
    with tarfile.open(built.folder / SDIST) as sdist:
        members = {member.name.partition("/")[2] for member in sdist}
    assert members == ours | CATALOGUES | {"PKG-INFO"}


def test_the_sdist_builds_the_same_wheel(built: Built, tmp_path: Path) -> None:
    # Python 3.11.2 has no filter for extractall, and newer ones want one.
    run(["tar", "-xf", str(built.folder / SDIST)], tmp_path)
    source = tmp_path / SDIST.removesuffix(".tar.gz")
    epoch = run(["git", "log", "-1", "--format=%ct"], built.repository).strip()
    run([sys.executable, "-m", "hatchling", "build", "--target=wheel"], source, SOURCE_DATE_EPOCH=epoch)
    assert (source / "dist" / WHEEL).read_bytes() == (built.folder / WHEEL).read_bytes()


def test_the_bill_of_materials_has_every_pin(built: Built) -> None:
    text = (built.folder / BILL).read_text("utf-8")
    bill = json.loads(text)
    assert len(Bom.from_json(bill).components) == len(bill["components"])  # type: ignore[attr-defined]
    wanted = {(name, version) for path in FILES for name, version in pins(path).items()}
    assert {(each["name"], each["version"]) for each in bill["components"]} == wanted
    locked = set(re.findall(r"sha256:([0-9a-f]{64})", "".join(path.read_text("utf-8") for path in FILES)))
    assert {one["content"] for each in bill["components"] for one in each["hashes"]} == locked
    assert all(each["licenses"] for each in bill["components"])
    scopes = {each["name"]: each["scope"] for each in bill["components"]}
    assert (scopes["textual"], scopes["django"], scopes["ruff"]) == ("required", "optional", "excluded")
    needs = {each["ref"]: set(each.get("dependsOn", [])) for each in bill["dependencies"]}
    assert any(each.startswith("textual==") for each in needs["sync-station"])
    assert not any(each.startswith("ruff==") for each in needs["sync-station"])
    about = bill["metadata"]["component"]
    assert {"name": "sync-station:version", "value": f"{VERSION} (commit {built.commit[:12]})"} in about["properties"]
    # Nothing tells of the machine that it was made on.
    assert "file:" not in text
    assert str(built.repository) not in text


@pytest.mark.nightly
def test_it_is_installed_and_plays_a_morning(built: Built, tmp_path: Path) -> None:
    environment, empty = tmp_path / "environment", tmp_path / "empty"
    empty.mkdir()
    run([sys.executable, "-m", "venv", str(environment)], empty)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    for name in ("build", "demo"):
        run([*pip, *pin_options(), "-r", str(ROOT / "requirements" / f"{name}.txt")], empty)
    run([*pip, "--no-deps", "--no-index", str(built.folder / WHEEL)], empty)
    station, central = (str(environment / "bin" / name) for name in ("station", "central"))
    said = f"{VERSION} (commit {built.commit[:12]})\n"
    assert run([station, "--version"], empty) == f"station {said}"
    assert run([central, "--version"], empty) == f"central {said}"
    run([station, "demo", "--script", "morning"], empty)
