"""A real Chromium without a window, spoken to in WebDriver (W3C): a dozen calls of JSON over HTTP need no library."""

import base64
import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx

USER, PASSWORD = "karin.kordinator", secrets.token_urlsafe(12)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
START_LIMIT_S = 30.0
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1100,900",
    "--lang=en",
]  # fmt: skip


def programs() -> tuple[str | None, str | None]:
    """Where Debian's chromium and chromium-driver are; None for what is missing."""
    return shutil.which("chromium"), shutil.which("chromedriver")


class Browser:
    """One session. Elements are found by CSS; what is not there is a failure."""

    def __init__(self, http: httpx.Client, site_url: str) -> None:
        self._http = http
        self.site_url = site_url

    def go(self, path: str) -> None:
        self._call("POST", "url", {"url": self.site_url + path})

    @property
    def path(self) -> str:
        return str(self._call("GET", "url")).removeprefix(self.site_url)

    def text(self, css: str = "main") -> str:
        return str(self._call("GET", f"element/{self._find(css)}/text"))

    def texts(self, css: str) -> list[str]:
        return [self._call("GET", f"element/{found}/text") for found in self._find_all(css)]

    def has(self, css: str) -> bool:
        return bool(self._find_all(css))

    def tick(self, css: str) -> None:
        """Click on what stays on this page."""
        self._call("POST", f"element/{self._find(css)}/click", {})

    def click(self, css: str) -> None:
        """Click on what leads to another page, and wait for that."""
        self.script("window.isOld = true")
        self.tick(css)
        deadline = time.monotonic() + START_LIMIT_S
        while self.script("return window.isOld || document.readyState !== 'complete'"):
            assert time.monotonic() < deadline, f"{css} leads nowhere"
            time.sleep(0.02)

    def type(self, css: str, text: str) -> None:
        found = self._find(css)
        self._call("POST", f"element/{found}/clear", {})
        self._call("POST", f"element/{found}/value", {"text": text})

    def date(self, css: str, day: date) -> None:
        """Into a date field, whose keys are those of the browser's language: English."""
        self._call("POST", f"element/{self._find(css)}/value", {"text": day.strftime("%m%d%Y")})

    def log_in(self, user: str = USER, password: str = PASSWORD, leads_to: str = "/office/1/today/") -> None:
        self.go("/office/")
        self.type("input[name=username]", user)
        self.type("input[name=password]", password)
        self.click("main button")
        assert self.path == leads_to

    def put_file(self, css: str, path: Path) -> None:
        self._call("POST", f"element/{self._find(css)}/value", {"text": str(path)})

    def choose(self, css: str, value: str) -> None:
        self.tick(f'{css} option[value="{value}"]')

    def value(self, css: str) -> str:
        """What is in a field now."""
        return str(self._call("GET", f"element/{self._find(css)}/property/value"))

    def is_shown(self, css: str) -> bool:
        return bool(self._call("GET", f"element/{self._find(css)}/displayed"))

    def wait_until_shown(self, css: str) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while not self.is_shown(css):
            assert time.monotonic() < deadline, f"{css} is not shown"
            time.sleep(0.02)

    def cookie(self, name: str) -> str:
        return str(self._call("GET", f"cookie/{name}")["value"])

    def cookie_removed(self, name: str) -> None:
        self._call("DELETE", f"cookie/{name}")

    def cookies_cleared(self) -> None:
        self._call("DELETE", "cookie")

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._call("GET", "screenshot")))

    def printed(self) -> bytes:
        return base64.b64decode(self._call("POST", "print", {}))

    def set_cookie(self, name: str, value: str) -> None:
        """Of the server whose page it shows."""
        self._call("POST", "cookie", {"cookie": {"name": name, "value": value, "path": "/"}})

    def width(self, pixels: int | None) -> None:
        """A window so wide, also where no real one would be so narrow; None: as it began."""
        command = "Emulation.clearDeviceMetricsOverride"
        asked: dict[str, Any] = {}
        if pixels is not None:
            command = "Emulation.setDeviceMetricsOverride"
            asked = {"width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self._call("POST", "goog/cdp/execute", {"cmd": command, "params": asked})

    def on_paper(self, *, is_printed: bool) -> None:
        """With the styles of paper, or of a screen again."""
        media = {"media": "print" if is_printed else ""}
        self._call("POST", "goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": media})

    def script(self, text: str, *arguments: Any) -> Any:
        return self._call("POST", "execute/sync", {"script": text, "args": arguments})

    def script_until_called(self, text: str, *arguments: Any) -> Any:
        """What the script gives the function that is its last argument."""
        return self._call("POST", "execute/async", {"script": text, "args": arguments})

    def _find(self, css: str) -> str:
        return str(self._call("POST", "element", {"using": "css selector", "value": css})[ELEMENT])

    def _find_all(self, css: str) -> list[str]:
        return [found[ELEMENT] for found in self._call("POST", "elements", {"using": "css selector", "value": css})]

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._http.request(method, path, json=body) if body is not None else self._http.request(method, path)
        value = answer.json()["value"]
        assert answer.status_code == 200, f"{path}: {value}"
        return value


def keep_picture(browser: Browser, name: str) -> None:
    folder = os.environ.get("OFFICE_PICTURES")
    if folder:
        browser.picture(Path(folder) / f"office-{name}.png")


@contextlib.contextmanager
def browsing(site_url: str, profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile; it and its driver end with the block."""
    chromium, driver = programs()
    assert chromium
    assert driver
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (profile.parent / "chromedriver.log").open("wb")
    process = subprocess.Popen([driver, f"--port={port}"], stdout=log, stderr=log)
    try:
        _wait(port)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
            options = {"binary": chromium, "args": [*ARGUMENTS, f"--user-data-dir={profile}"]}
            wanted = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
            answer = http.post("/session", json={"capabilities": wanted}).json()["value"]
            assert "sessionId" in answer, answer
            http.base_url = httpx.URL(f"http://127.0.0.1:{port}/session/{answer['sessionId']}/")
            try:
                yield Browser(http, site_url)
            finally:
                http.delete(str(http.base_url).rstrip("/"))
    finally:
        process.terminate()
        process.wait(timeout=15)
        log.close()


def _wait(port: int) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/status", trust_env=False)
            return
        assert time.monotonic() < deadline, "chromedriver does not answer"
        time.sleep(0.05)
