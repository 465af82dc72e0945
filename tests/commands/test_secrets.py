"""Marked secrets go through every command, and are then searched for in all that the commands leave behind."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from station.records.base64url import decoded
from tests.running_site import COMMAND_LIMIT_S, RunningSite

pytestmark = pytest.mark.slow
KEY = 5002
WRONG_PIN = "7382915504"


def forms(secret: str) -> set[bytes]:
    """How a secret could look: as it is written, and for bytes also raw and in hexadecimal."""
    found = {secret.encode()}
    if not secret.isdigit():
        try:
            raw = decoded(secret)
        except ValueError:
            return found
        found |= {raw, raw.hex().encode()}
    return found


def secrets_of(folder: Path) -> dict[str, set[bytes]]:
    kept = json.loads((folder / "credentials.json").read_bytes())
    pepper = kept["peppers"][0]["pepper"]
    return {"token": forms(kept["token"]), "signing_seed": forms(kept["signing_seed"]), "pepper": forms(pepper)}


def watched(site: RunningSite, *words: str, stdin: str = "") -> tuple[bytes, bytes]:
    """What a command says, and every command line seen of it and its children while it ran."""
    command = [sys.executable, "-m", "station", *words]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=site.folder,
        env=site.env(),
    ) as process:
        lines: set[bytes] = set()
        done = threading.Event()

        def look() -> None:
            while not done.is_set():
                for name in ("cmdline", "comm"):
                    try:
                        lines.add(Path(f"/proc/{process.pid}/{name}").read_bytes())
                    except OSError:
                        return
                time.sleep(0.01)

        looking = threading.Thread(target=look)
        looking.start()
        said, _ = process.communicate(stdin.encode(), timeout=COMMAND_LIMIT_S)
        done.set()
        looking.join()
    return said, b"\n".join(lines)


def left_behind(folder: Path, without: set[str]) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and path.name not in without
    }


def test_no_secret_is_said_logged_or_stored(site: RunningSite) -> None:
    pin = site.pin(KEY)
    secrets = secrets_of(site.folder)
    said: list[bytes] = []
    seen: list[bytes] = []

    def command(*words: str, stdin: str = "") -> None:
        site.insert(KEY)
        out, lines = watched(site, *words, stdin=stdin)
        said.append(out)
        seen.append(lines)

    command("sync", "--json")
    command("visit", "--pin-stdin", stdin=pin + "\n")
    command("visit", "--pin-stdin", "--json", stdin=pin + "\n")
    command("visit", "--pin-stdin", "--json", stdin=WRONG_PIN + "\n")
    command("visit", "--pin-stdin", "--json", stdin=f"{pin}x\n")
    command("status", "--json")
    command("doctor", "--json")
    command("key", "show", "--json")
    command("lock", "try", "--lock", "1", "--area", "2", "--json")
    command("key", "provision", "--code", "0000000000", "--json")
    with site.kiosk():
        command("status")
        command("doctor")
        command("visit", "--pin-stdin", stdin=pin + "\n")
    site.insert(KEY)
    # A right PIN takes the wrong ones back, so that no other test has to wait for this one's.
    assert site.json("visit", "--pin-stdin", stdin=pin)["outcome"] == "ready"

    secrets |= {"pin": {pin.encode()}, "wrong pin": {WRONG_PIN.encode()}}
    places = {"standard output and error": b"\n".join(said), "command lines": b"\n".join(seen)}
    assert len(places["standard output and error"]) > 5000
    assert b"--pin-stdin" in places["command lines"]
    files = left_behind(site.folder, without={"credentials.json"})
    assert {"station.db", "status.json", "station.log"} <= set(files)
    for where, content in (places | files).items():
        for name, looks in secrets.items():
            for look in looks:
                assert look not in content, f"{name} in {where}"


def test_the_search_would_find_them(site: RunningSite) -> None:
    kept = (site.folder / "credentials.json").read_bytes()
    for name, looks in secrets_of(site.folder).items():
        assert any(look in kept for look in looks), name


def test_an_enrolment_code_is_used_and_forgotten(site: RunningSite, tmp_path: Path) -> None:
    code = site.central("enrol-code", "--station", "3")
    said = site.station("enrol", "--code", code, "--url", site.world.home.url, folder=tmp_path)
    assert said.returncode == 0, said
    site.station("sync", folder=tmp_path)
    secret = code.partition("-")[2]
    assert secret not in said.stdout + said.stderr
    for where, content in left_behind(tmp_path, without=set()).items():
        assert secret.encode() not in content, where
    for name, looks in secrets_of(tmp_path).items():
        assert not any(look.decode("latin-1") in said.stdout + said.stderr for look in looks), name
    assert (tmp_path / "credentials.json").stat().st_mode & 0o077 == 0
