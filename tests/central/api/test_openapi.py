"""Everything that the API's own description allows and forbids, tried on a real server: it answers as described."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.central.served import Caller, central, start_server, stop_server

pytestmark = pytest.mark.slow

EXAMPLES = 60
SEED = 1


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A server of its own, because it counts failed attempts: its address and a station's token."""
    data = tmp_path / "data"
    central("seed", "--json", data=data)
    process, url = start_server(data)
    try:
        with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as http:
            caller = Caller(http)
            assert caller.enrol(central("enrol-code", "--station", "1", data=data).strip()).status_code == 201
            yield url, caller.enrolled["token"]
    finally:
        assert stop_server(process) == 0


def test_schemathesis_finds_nothing(own: tuple[str, str], tmp_path: Path) -> None:
    url, token = own
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(Path(__file__).with_name("schemathesis.toml")), "run", f"{url}/api/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {token}", "--checks", "all"),
        *("--max-examples", str(EXAMPLES), "--seed", str(SEED), "--workers", "1"),
        *("--request-timeout", "60", "--no-color"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
