"""A name server that never answers: it delays no stop and no configuration push."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from station.supervisor.kiosk_process import UPDATE_CODE
from tests.pushed_config.site import Site
from tests.pushed_config.test_kiosk_process import Kiosk

pytestmark = pytest.mark.slow

ADDRESS = "127.0.0.77"
WITHIN_S = 2.0


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[socket.socket]:
    """The name server; ``resolv.conf`` beside the station names it."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("a resolv.conf of its own takes an administrator")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((ADDRESS, 53))
        server.setblocking(False)
        (tmp_path / "resolv.conf").write_text(f"nameserver {ADDRESS}\n")
        yield server


@pytest.fixture
def start(site: Site) -> Iterator[Callable[[], Kiosk]]:
    kiosks = []

    def started() -> Kiosk:
        script = f'mount --bind {site.folder}/resolv.conf /etc/resolv.conf && exec "$@"'
        kiosks.append(Kiosk(site, "power", "unshare", "--mount", "sh", "-c", script, "sh"))
        return kiosks[-1]

    yield started
    for kiosk in kiosks:
        kiosk.end()


async def asked(kiosk: Kiosk, server: socket.socket) -> None:
    """Until the station has asked, and waits."""

    def there() -> bool:
        try:
            return b"silent" in server.recv(1000)
        except BlockingIOError:
            return False

    await kiosk.until(there)
    await kiosk.until(lambda: kiosk.status().get("config_version"))


async def test_a_stop(site: Site, silent: socket.socket, start: Callable[[], Kiosk]) -> None:
    site.push(site.text(central='url = "https://central.silent.example"\npoll_s = 60'))
    kiosk = start()
    await asked(kiosk, silent)
    at = time.monotonic()
    kiosk.process.send_signal(signal.SIGTERM)
    await kiosk.until(lambda: kiosk.process.poll() is not None)
    assert (kiosk.process.returncode, time.monotonic() - at < WITHIN_S) == (0, True)


async def test_a_push(site: Site, silent: socket.socket, start: Callable[[], Kiosk]) -> None:
    site.push(site.text(central='url = "https://central.silent.example"\npoll_s = 60'))
    kiosk = start()
    await asked(kiosk, silent)
    site.push(site.text(storage='database = "other.db"'))
    at = time.monotonic()
    await kiosk.until(lambda: kiosk.process.poll() is not None)
    # It is looked at every two seconds, and only once it has rested.
    assert (kiosk.process.returncode, time.monotonic() - at < WITHIN_S + 4) == (UPDATE_CODE, True)
