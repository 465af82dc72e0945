"""What every clone must hold, and what must never get into it."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import config
from config.enrolment import template

ROOT = Path(__file__).parents[2]
PINS = sorted((ROOT / "requirements").glob("*.txt"))
# Written in two parts, so that this file does not hold what it looks for.
REGISTRIES = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "debian" + ".org/debian")
MACHINE_PATH = re.compile(r"(?<![\w./-])/(?:home/(?!station\b)\w+|root|work|Users|opt/(?:pypi|wheels))/")
TARGETS = {
    "install", "install-program", "demo", "dist",
    "run", "check", "lint", "load", "test", "test-full", "test-nightly", "bench", "format", "lock",
    "messages", "pictures", "pictures-office", "clean", "help",
}  # fmt: skip


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def tracked() -> list[Path]:
    """The files of the repository; of an unpacked archive without history, all that git would not ignore."""
    if (ROOT / ".git").exists():
        names = git("ls-files", "-z")
    else:
        with TemporaryDirectory() as folder:
            git("init", "--quiet", "--bare", folder)
            others = ["ls-files", "--others", "--exclude-standard", "-z"]
            names = git(f"--git-dir={folder}", f"--work-tree={ROOT}", *others)
    paths = [ROOT / name for name in names.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def texts() -> list[tuple[Path, str]]:
    found = []
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content:
            found.append((path.relative_to(ROOT), content.decode("utf-8")))
    assert len(found) > 50
    return found


def test_no_address_of_a_package_registry() -> None:
    assert [str(path) for path, text in texts() if any(host in text for host in REGISTRIES)] == []


def test_no_path_of_a_developers_machine() -> None:
    found = [f"{path}: {match.group()}" for path, text in texts() for match in MACHINE_PATH.finditer(text)]
    assert found == []


def test_the_shipped_configuration_is_valid_and_is_the_template() -> None:
    path = ROOT / "station.toml"
    assert config.check(path) == []
    text = path.read_text("utf-8")
    assert text == template()
    assert text.endswith("\n# end\n")


def test_the_shipped_configuration_shows_every_setting_with_its_default() -> None:
    text = (ROOT / "station.toml").read_text("utf-8")
    document = config.schema()
    for table, reference in document["properties"].items():
        section = text.partition(f"\n[{table}]\n")[2].partition("\n[")[0]
        for key, about in document["$defs"][reference["$ref"].rpartition("/")[2]]["properties"].items():
            shown = re.search(rf"^(# )?{key} = (.+)$", section, re.MULTILINE)
            assert shown is not None, f"{table}.{key}"
            if shown[1] and about.get("default") is not None:
                assert tomllib.loads(f"v = {shown[2]}")["v"] == about["default"], f"{table}.{key}"


def test_make_lists_its_targets() -> None:
    # Under `make test` this would be make within make, which speaks of the folders it enters.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    listed = {line.split()[1]: line for line in done.stdout.splitlines()}
    assert set(listed) == TARGETS
    assert all(len(line.split()) > 3 for line in listed.values())


def test_there_are_pins() -> None:
    assert {path.name for path in PINS} == {
        "base.txt", "build.txt", "central.txt", "demo.txt", "dev.txt", "postgresql.txt",
    }  # fmt: skip


@pytest.mark.parametrize("path", PINS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_hashes_and_without_an_address(path: Path) -> None:
    text = path.read_text("utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; [^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*", line), line
    assert "://" not in text


def _pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([\w.]+)", text, re.MULTILINE))


def test_the_sets_of_pins_agree() -> None:
    every = _pins("dev")
    for name in ("base", "central", "demo", "postgresql", "build"):
        assert _pins(name).items() <= every.items(), name


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    for name, wanted in {
        "base": project["dependencies"],
        "central": extras["central"],
        "demo": extras["demo"] + extras["central"],
        "postgresql": extras["postgresql"] + extras["central"],
        "dev": extras["dev"],
    }.items():
        names = {re.split(r"[<>=\[]", requirement)[0].lower() for requirement in wanted}
        assert names <= _pins(name).keys(), name


def test_wheels_are_not_for_one_kind_of_machine() -> None:
    # A station may be a small ARM board: a lock made from this machine's files alone would have one hash here.
    text = (ROOT / "requirements" / "base.txt").read_text("utf-8")
    for name in ("cryptography", "cffi", "pydantic-core", "cbor2"):
        hashes = re.search(rf"^{name}==.*?(?=^\w)", text, re.MULTILINE | re.DOTALL)
        assert hashes is not None
        assert hashes.group().count("--hash=") > 10, name
