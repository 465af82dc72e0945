"""What surrounds one station of the sample site: its key reader, its way to central, its power, its files."""

import uuid
from pathlib import Path

import config
from config import Credentials, Settings
from drivers.emulated_key.line import SerialLine
from station.commands.enrol import PROFILES, credentials_of, enrol
from station.demo.central_server import CentralServer
from station.demo.network import Network
from station.records.base64url import decoded
from station.records.claims import Role
from station.records.keys import SigningKey
from station.secret import Secret
from station.sync.client import CentralClient

POLL_S = 10
BOOT_S = 20.0
"""How long a machine has been up when its station starts."""


class Installation:
    """Where one station stands. `prepare` it, `close` it."""

    def __init__(self, number: int, folder: Path, central: CentralServer, central_port: int, *, language: str) -> None:
        self.number = number
        self.folder = folder
        self.network = Network(central_port)
        self.ntp_synchronised = False
        """What the kernel says of its clock."""
        self.has_rtc = False
        """Whether it has a battery-backed clock, and its configuration trusts that; an activation box does."""
        self.boot_id = str(uuid.uuid4())
        self.booted_at = 0.0
        """Where its CLOCK_BOOTTIME began, in seconds of the site's."""
        self.clock_behind_s = 0.0
        """How far the system clock lags: without a battery it stands still while there is no power."""
        self._central = central
        self._language = language
        self.line: SerialLine

    @property
    def config_file(self) -> Path:
        """The station's ``station.toml``."""
        return self.folder / "station.toml"

    async def prepare(self) -> None:
        """Connect it, enrol it unless it is enrolled, and put up its key reader. Raises StationError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        await self.network.restore()
        credentials = self.folder / "credentials.json"
        if not credentials.exists():
            await self._enrol(credentials, await self._central.enrolment_code(self.number))
        self.has_rtc = self.is_activation_box
        self.line = SerialLine(self.folder / "key-reader")
        self.configure()

    @property
    def is_activation_box(self) -> bool:
        """Central has certified it as one."""
        return self.credentials().role is Role.ACTIVATION_BOX

    def configure(self) -> None:
        """Write its ``station.toml`` as it is now."""
        self.config_file.write_text(self._config(), encoding="utf-8")

    def boot(self, boottime_s: float, *, without_power_s: float) -> None:
        """Power is back: a new boot. ``boottime_s``: the site's; a battery-backed clock has gone on."""
        self.boot_id, self.booted_at = str(uuid.uuid4()), boottime_s - BOOT_S
        self.clock_behind_s = 0.0 if self.has_rtc else self.clock_behind_s + without_power_s

    async def close(self) -> None:
        """Take it down."""
        if hasattr(self, "line"):
            self.line.close()
        await self.network.cut()

    def settings(self) -> Settings:
        """The station's settings."""
        return config.load(self.config_file)

    def credentials(self) -> Credentials:
        """The station's credentials."""
        return Credentials.load(self.folder / "credentials.json")

    @property
    def url(self) -> str:
        """Where central is for this station."""
        return f"http://127.0.0.1:{self.network.port}"

    async def hand_out(self, code: Secret[str]) -> bytes:
        """The record for a blank key, from central, as this station."""
        link = CentralClient(self.url, self.credentials().token)
        try:
            key = await link.provision(code)
        finally:
            await link.close()
        return decoded(str(key["record"]))

    async def _enrol(self, credentials: Path, code: Secret[str]) -> None:
        signing = SigningKey.generate()
        credentials_of(await enrol(self.url, code, signing), signing).save(credentials)

    def _config(self) -> str:
        profile = PROFILES[self.credentials().role]
        # What is as it would be without saying so is left out, for whoever goes on from this file.
        what = f'profile = "{profile}"\n' if profile != "sync-station" else ""
        clock = "[clock]\ntrust_rtc = true\n" if self.has_rtc else ""
        return (
            f'[station]\nnumber = {self.number}\nname = "Exempelby {self.number}"\n{what}'
            f'[central]\nurl = "{self.url}"\npoll_s = {POLL_S}\n'
            f'[key_reader]\nport = "{self.line.path}"\n'
            f'[display]\nlanguage = "{self._language}"\n{clock}'
            "# end\n"
        )
