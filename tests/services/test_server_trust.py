"""Over real TLS: a station that does not know the time learns it, and then judges the server's certificate by it."""

import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

import config
from station.commands.doctor_checks.central import check_central
from station.records.claims import ClockSource
from station.sync.client import CentralUnreachable
from station.sync.server_trust import ServerTrust
from tests.services.credentials import credentials_for
from tests.services.lying_central import DAY_S, STATION, LyingCentral
from tests.services.parts import Parts
from tests.services.server_certificates import certificate_for

IN_2023_S = 1_690_000_000
HERE = "127.0.0.1"


class Dates:
    """When the server's certificate is valid, in days from what the system clock of this machine says."""

    def __init__(self, folder: Path, central: LyingCentral, parts: Parts) -> None:
        self._folder, self._central, self._parts = folder, central, parts

    async def serve(self, begins_days: float, ends_days: float, *, name: str = HERE, trusted: bool = True) -> None:
        """Central over TLS; the station knows its authority where it is ``trusted``."""
        now_s = time.time()
        begins, ends = (datetime.fromtimestamp(now_s + days * DAY_S, UTC) for days in (begins_days, ends_days))
        cert_file, key_file = certificate_for(name, self._folder, begins, ends)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert_file, key_file)
        await self._central.stop()
        await self._central.start(context)
        await self._parts.link.move(self._central.url, trust=ServerTrust(cert_file if trusted else None))


@pytest_asyncio.fixture
async def dates(central: LyingCentral, parts: Parts, tmp_path: Path) -> AsyncIterator[Dates]:
    parts.clocks.turn(unix_s=IN_2023_S)
    yield Dates(tmp_path, central, parts)


@pytest.mark.parametrize(
    ("begins_days", "ends_days", "true_days"),
    [pytest.param(-9, -3, -4, id="looks_expired"), pytest.param(3, 9, 4, id="looks_not_yet_valid")],
)
async def test_a_station_in_2023_learns_the_time_and_goes_by_it(
    central: LyingCentral, parts: Parts, dates: Dates, begins_days: float, ends_days: float, true_days: float
) -> None:
    """OpenSSL, which goes by this machine's clock, would refuse that certificate for ever."""
    true_s = int(time.time() + true_days * DAY_S)
    central.clock = lambda: true_s
    await dates.serve(begins_days, ends_days)
    assert await parts.poll()
    assert (parts.time.now().unix_s, parts.time.now().trust) == (true_s, ClockSource.SYNCED)
    assert central.calls("/mirror/snapshot") == 1


@pytest.mark.parametrize("true_days", [-10, -2])
async def test_a_certificate_that_is_over_by_the_stations_clock(
    central: LyingCentral, parts: Parts, dates: Dates, true_days: float
) -> None:
    """The time is learnt all the same; the token goes to nobody."""
    central.clock = lambda: int(time.time() + true_days * DAY_S)
    await dates.serve(-9, -3)
    assert not await parts.poll()
    assert parts.time.now().trust is ClockSource.SYNCED
    assert {each.path for each in central.asked} == {"/time"}
    assert not any("authorization" in each.headers for each in central.asked)


async def test_a_station_without_the_time_hands_nothing_over(central: LyingCentral, parts: Parts, dates: Dates) -> None:
    """In 2023 no certificate of today is valid yet."""
    await dates.serve(-1, 1)
    with pytest.raises(CentralUnreachable, match="central_certificate_refused"):
        await parts.link.send([{"id": "1"}])
    assert not central.asked


@pytest.mark.parametrize(
    ("name", "trusted"), [("elsewhere.invalid", True), (HERE, False)], ids=["another_name", "another_authority"]
)
async def test_the_time_is_asked_of_no_stranger(
    central: LyingCentral, parts: Parts, dates: Dates, name: str, trusted: bool
) -> None:
    await dates.serve(-9, -3, name=name, trusted=trusted)
    assert not await parts.poll()
    assert not central.asked


@pytest.mark.parametrize(
    ("true_days", "levels"),
    [
        pytest.param(
            -4, {"central": "warn", "time": "ok", "system clock": "warn", "token": "ok"}, id="this_clock_wrong"
        ),
        pytest.param(
            0, {"central": "FAIL", "time": "ok", "system clock": "ok", "token": "FAIL"}, id="certificate_over"
        ),
    ],
)
async def test_doctor_tells_a_wrong_clock_from_a_certificate_that_is_over(
    central: LyingCentral, parts: Parts, dates: Dates, tmp_path: Path, true_days: float, levels: dict[str, str]
) -> None:
    central.clock = lambda: int(time.time() + true_days * DAY_S)
    await dates.serve(-9, -3)
    path = tmp_path / "station.toml"
    path.write_text(
        f'[station]\nnumber = {STATION}\nname = "Exempelby"\n[key_reader]\nport = "/dev/null"\n'
        f'[central]\nurl = "{central.url}"\nca_file = "{HERE}.pem"\n',
        "utf-8",
    )
    credentials = credentials_for(central, parts.signing, parts.first_certificate)
    found = await check_central(config.load(path), credentials, [central.signing.public])
    assert {each.check: each.level.value for each in found} == levels
    assert not any("authorization" in each.headers for each in central.asked) or levels["token"] == "ok"


async def test_one_store_for_every_call_and_for_doctor(
    central: LyingCentral, parts: Parts, dates: Dates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's, where no file is named: here one that holds this server's authority alone."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / f"{HERE}.pem"))
    await dates.serve(-1, 1, trusted=False)
    central.clock = lambda: int(time.time())
    assert await parts.poll()
    path = tmp_path / "station.toml"
    path.write_text(
        f'[station]\nnumber = {STATION}\nname = "Exempelby"\n[key_reader]\nport = "/dev/null"\n'
        f'[central]\nurl = "{central.url}"\n',
        "utf-8",
    )
    credentials = credentials_for(central, parts.signing, parts.first_certificate)
    found = await check_central(config.load(path), credentials, [central.signing.public])
    assert {each.level.value for each in found} <= {"ok", "warn"}


@pytest.mark.parametrize(
    ("name", "trusted", "fault"),
    [("elsewhere.invalid", True, "mismatch"), (HERE, False, "self-signed")],
    ids=["another_name", "another_authority"],
)
async def test_the_certificates_fault_is_named(
    parts: Parts, dates: Dates, name: str, trusted: bool, fault: str
) -> None:
    await dates.serve(-1, 1, name=name, trusted=trusted)
    with pytest.raises(CentralUnreachable, match=fault) as refused:
        await parts.link.time(1, bytes(16))
    assert refused.value.code == "central_certificate_refused"
