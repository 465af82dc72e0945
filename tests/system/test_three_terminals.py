"""The whole path in real terminals: central in one, an emulated key in another, the kiosk in a third.

Everything is started and typed as the how-to page says, and judged by what is to be seen, by the files on the key, and
by central's database.
"""

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from station.records import envelope
from station.records.claims import Activation, KeyRecord, Permit, StationCertificate, Sync
from station.visit.state import RETURNS_WITHIN_S
from tests.system.conftest import Site, end, run
from tests.system.terminals import Pane, Terminals, eventually

pytestmark = pytest.mark.slow

ANNA, HER_KEY, LOCK, AREA = 1001, 5001, 102, 2
OPENED, SHUT = 0, 1
OFF = "Going home: take the key out. Starting: PIN and #."
IS_ON, IS_OFF = "Key is ON until", "Key is OFF. It opens nothing now."
UNTIL = re.compile(r"Key is ON until (?:tomorrow )?\d\d:\d\d")


class Person:
    """Somebody at the kiosk with an emulated key."""

    def __init__(self, site: Site, keys: Pane, kiosk: Pane) -> None:
        self.site, self.keys, self.kiosk = site, keys, kiosk
        self.pin: str = site.person(ANNA)["pin"]
        self.folder = site.folder / "keys" / str(HER_KEY)
        self.out_since = 0.0

    def insert(self) -> None:
        """A new visit: a key that is back sooner than this goes on with the one before."""
        eventually(lambda: time.monotonic() > self.out_since + RETURNS_WITHIN_S, lambda: "time stands still")
        self.keys.enter("press")
        self.keys.enter("insert")

    def pull(self, state: str) -> None:
        self.keys.enter("pull")
        self.kiosk.until(state, without="ake it out")
        self.out_since = time.monotonic()

    def switch_on(self, typed: str, *, enter: bool = False) -> str:
        """From the prompt to ON; what the screen says then."""
        self.kiosk.type(typed)
        if enter:
            self.kiosk.press("Enter")
        words = self.kiosk.until("Key is ON until", "Take it out", "Opens 2 areas")
        assert UNTIL.search(words)
        return words

    def try_lock(self, expected: int, *wanted: str, lock: int = LOCK, area: int = AREA) -> None:
        """`station lock try`, in a shell of its own."""
        options = ["--lock", str(lock), "--area", str(area), "--state", f"keys/{HER_KEY}"]
        done = run(self.site.folder, "station", "lock", "try", *options)
        assert done.returncode == expected, done.stdout + done.stderr
        assert all(text in done.stdout for text in wanted), done.stdout

    def file(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


def test_a_day_in_three_terminals(site: Site, station_toml: Path, terminals: Terminals) -> None:
    folder = site.folder
    keys, kiosk = terminals.open(), terminals.open()
    kiosk.enter(f"station enrol --code {site.seeded['enrol_code']} --url {site.url}")
    kiosk.until("enrolled as station 1; wrote station.toml and credentials.json")
    kiosk.until_prompt()
    assert (folder / "credentials.json").stat().st_mode & 0o777 == 0o600
    assert f'url = "{site.url}"' in station_toml.read_text("utf-8")
    keys.enter(f"station emulate --link ./key0 --state ./keys/{HER_KEY}")
    eventually((folder / "key0").is_symlink, lambda: keys.screen)
    kiosk.enter("station run")
    anna = Person(site, keys, kiosk)

    # Her shift begins: the emulated key starts pressed and inserted.
    kiosk.until(OFF, "Station 1", "updated", f"Key {HER_KEY} · Anna A")
    anna.try_lock(SHUT, "blue blinking: the lock stays shut (not_active)")
    anna.switch_on(f"*{anna.pin}#")
    anna.pull(IS_ON)
    anna.try_lock(OPENED, "green: the lock opens (opened)", "own light: blue steady")
    anna.try_lock(OPENED, "green", lock=1, area=99)
    anna.try_lock(SHUT, "red", "no_permission", lock=401, area=10)
    check_the_files(anna)

    # It ends: in, nothing typed, out.
    anna.insert()
    kiosk.until(OFF)
    anna.pull(IS_OFF)
    anna.try_lock(SHUT, "blue blinking: the lock stays shut (not_active)", "own light: blue blinking")
    assert len(anna.file("act")) == 1

    # The newer panel has no star, a number pad no #.
    anna.insert()
    kiosk.until(OFF)
    anna.switch_on(f"{anna.pin}#")
    anna.pull(IS_ON)
    anna.try_lock(OPENED, "green")
    anna.insert()
    kiosk.until(OFF)
    anna.switch_on(anna.pin, enter=True)
    anna.pull(IS_ON)
    anna.try_lock(OPENED, "green")

    # A wrong PIN is refused, a colleague's right one in the same words.
    anna.insert()
    kiosk.until(OFF)
    kiosk.type("*000000#")
    words = without_time(kiosk.until("Wrong PIN. Try again: PIN and #."))
    anna.try_lock(SHUT, "not_active")
    kiosk.type(f"{site.person(ANNA + 1)['pin']}#")
    eventually(lambda: len(site.events("pin_rejected")) == 2, lambda: f"{site.events('pin_rejected')} {kiosk.screen}")
    assert without_time(kiosk.until("Wrong PIN. Try again: PIN and #.")) == words
    anna.try_lock(SHUT, "not_active")
    anna.pull(IS_OFF)

    # Central dies: the same works, and the screen says so and how old its data is.
    port = site.port
    site.kill_central()
    kiosk.until("OFFLINE", "updated")
    reported = len(site.sequence())
    anna.insert()
    kiosk.until(OFF, "OFFLINE")
    words = anna.switch_on(f"*{anna.pin}#")
    assert re.search(r"OFFLINE since \d\d:\d\d · updated \d\d:\d\d", words)
    anna.pull(IS_ON)
    anna.try_lock(OPENED, "green", "own light: blue steady")
    check_the_files(anna)
    assert len(site.sequence()) == reported

    # It comes back and is told everything, without a gap.
    site.serve(port)
    kiosk.until("updated", without="OFFLINE")
    activations = eventually(lambda: len(site.events("key_activated")) == 4, lambda: str(site.events("key_activated")))
    assert activations
    assert {(e["key"], e["holder"]) for e in site.events("key_activated")} == {(HER_KEY, ANNA)}
    assert {e["data"]["areas"] for e in site.events("key_activated")} == {2}
    assert [e["key"] for e in site.events("pin_rejected")] == [HER_KEY] * 2
    sequence = site.sequence()
    assert sequence == list(range(sequence[0], sequence[0] + len(sequence)))

    # SIGTERM gives the terminal back.
    end(kiosk)
    kiosk.enter("echo ended with $?; stty -a")
    kiosk.until("ended with 0", " icanon", " echo ")
    assert kiosk.asks("#{alternate_on} #{cursor_flag}") == "0 1"
    check_the_log(folder, site)
    end(keys)
    assert not (folder / "key0").is_symlink()


def without_time(words: str) -> str:
    """A screen's words, but for the time of day: a minute may have begun in between."""
    return re.sub(r"\b\d\d:\d\d\b", "", words)


def check_the_files(anna: Person) -> None:
    """What is left on the key verifies, record by record, and fits together."""
    central_keys = [decoded(key) for key in anna.site.seeded["site"]["central_keys"]]
    key = envelope.verify(KeyRecord, anna.file("id"), central_keys)
    permit = envelope.verify(Permit, anna.file("permit"), central_keys)
    certificate = envelope.verify(StationCertificate, anna.file("cert"), central_keys)
    sync = envelope.verify(Sync, anna.file("sync"), [certificate.public_key])
    activation = envelope.verify(Activation, anna.file("act"), [certificate.public_key])
    assert (key.key, key.holder) == (activation.key, activation.holder) == (HER_KEY, ANNA)
    assert (permit.holder, permit.areas) == (ANNA, (2, 3))
    assert activation.permit_digest == envelope.digest(anna.file("permit"))
    assert certificate.station == sync.station == activation.station == 1
    assert sync.key == HER_KEY
    assert activation.expires - activation.not_before <= 661 * 60


def check_the_log(folder: Path, site: Site) -> None:
    """The kiosk's log tells what happened, without a PIN, a name or a credential."""
    log = (folder / "station.log").read_text("utf-8")
    assert f"key.activated key={HER_KEY}" in log
    names = {part for p in site.seeded["people"] for part in p["name"].split()}
    pins = {p["pin"] for p in site.seeded["people"]} | {"000000"}
    credentials = json.loads((folder / "credentials.json").read_text("utf-8"))
    secrets = {credentials["token"], credentials["signing_seed"], credentials["peppers"][0]["pepper"]}
    for unwanted in names | pins | secrets:
        assert not re.search(rf"\b{re.escape(unwanted)}\b", log), unwanted
    assert "Traceback" not in log


def decoded(text: str) -> bytes:
    from station.records.base64url import decoded as of_base64url

    return of_base64url(text)


def test_closing_its_terminal_ends_a_server_and_a_key(site: Site, terminals: Terminals) -> None:
    keys = terminals.open()
    keys.enter(f"station emulate --link ./key0 --state ./keys/{HER_KEY}")
    eventually((site.folder / "key0").is_symlink, lambda: keys.screen)
    started = [Path(f"/proc/{pane.child()}") for pane in (site.central, keys)]
    for pane in (site.central, keys):
        pane.close()
    eventually(lambda: not any(process.exists() for process in started), lambda: f"{started} live on")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        ("rm credentials.json", "credentials.json: there is no such file; `station enrol` makes it"),
        ("chmod 644 credentials.json", "credentials.json: expected mode 0600, got 0644"),
        ("echo nonsense >> station.toml", "not valid TOML"),
        ("sed -i s/sync-station/update-box/ station.toml", 'expected "sync-station", the role in this station'),
    ],
)
def test_a_kiosk_that_cannot_start_says_why_in_one_line(
    spoil: str, complaint: str, tmp_path: Path, station_toml: Path, terminals: Terminals
) -> None:
    enrol_without_central(tmp_path)
    subprocess.run(spoil, shell=True, cwd=tmp_path, check=True)
    pane = terminals.open(columns=200)
    pane.enter("station run; echo ended with $?")
    pane.until("ended with")
    pane.until_prompt()
    said = pane.screen.splitlines()[1:-2]
    assert len(said) == 1, pane.screen
    assert complaint in said[0]
    assert pane.screen.splitlines()[-2] == "ended with 2"
    assert pane.asks("#{alternate_on} #{cursor_flag}") == "0 1"


def enrol_without_central(folder: Path) -> None:
    """Credentials signed by a central key of the test's own."""
    from config import Argon2Cost, Credentials, Pepper
    from station.records.claims import Role
    from station.records.keys import SigningKey
    from station.secret import Secret

    central, signing = SigningKey.generate(), SigningKey.generate()
    claims = StationCertificate(
        expires=4_000_000_000,
        issued=1_700_000_000,
        unit=1,
        station=1,
        public_key=signing.public,
        role=Role.SYNC_STATION,
    )
    Credentials(
        station=1,
        site=1,
        role=Role.SYNC_STATION,
        token=Secret("an-invented-token-of-a-test"),
        signing_seed=Secret(signing.seed()),
        certificate=envelope.sign(claims, central),
        central_keys=(central.public,),
        site_salt=b"saltsalt",
        peppers=(Pepper(version=1, pepper=Secret(b"pepperpepperpepper")),),
        argon2=Argon2Cost(time=1, memory_kib=8, lanes=1),
        pin_digits=6,
    ).save(folder / "credentials.json")
