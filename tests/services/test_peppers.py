"""The peppers come before a mirror that needs them, and go after one that does not."""

from pathlib import Path
from typing import Any

import pytest

import config
from config import Credentials
from station.app import Station
from station.commands.sync import synchronise
from station.records.base64url import encoded
from station.records.claims import Role
from station.sync.pin_renewal import ASK_AGAIN_S
from tests.services.lying_central import LyingCentral, Reply, refusal, said
from tests.services.parts import Parts
from tests.services.test_box_handover import clocks, settings_of

NEW = b"n" * 32


def renew(central: LyingCentral, *versions: int) -> None:
    central.peppers = [(version, {1: b"p" * 32, 2: NEW, 3: b"3" * 32}[version]) for version in versions]
    central.again("site", 0, pin_versions=list(versions))


def held(parts: Parts) -> list[tuple[int, bytes]]:
    return [(version, pepper.reveal()) for version, pepper in parts.identity.pin.peppers]


async def test_a_renewal_from_beginning_to_end(central: LyingCentral, synced: Parts) -> None:
    assert central.calls("/pin") == 0
    renew(central, 2, 1)
    assert await synced.poll()
    assert held(synced) == [(2, NEW), (1, b"p" * 32)]
    assert await synced.poll()
    assert central.calls("/pin") == 1, "once"
    renew(central, 2)
    assert await synced.poll()
    assert held(synced) == [(2, NEW)]
    assert central.calls("/pin") == 1


async def test_a_station_that_slept_through_it(central: LyingCentral, synced: Parts) -> None:
    renew(central, 3)
    assert await synced.poll()
    assert held(synced) == [(3, b"3" * 32)]


@pytest.mark.parametrize(
    "lie",
    [
        Reply(503),
        refusal(403, "forbidden"),
        said({}),
        said({"site_salt": "AA==", "argon2": {"time": 1, "memory_kib": 8, "lanes": 1}, "digits": 6, "peppers": []}),
    ],
)
async def test_without_them_the_mirror_that_needs_them_is_not_stored(
    central: LyingCentral, synced: Parts, lie: Reply
) -> None:
    renew(central, 2, 1)
    central.lies["/pin"] = lie
    before = await synced.on_disk()
    assert not await synced.poll()
    assert await synced.on_disk() == before
    assert held(synced) == [(1, b"p" * 32)]
    central.lies.clear()
    assert await synced.poll()
    assert held(synced) == [(2, NEW), (1, b"p" * 32)]


@pytest.mark.parametrize("versions", [None, "2", [], ["2"], [True]])
async def test_a_site_that_says_nothing_readable_leaves_them(
    central: LyingCentral, synced: Parts, versions: Any
) -> None:
    central.again("site", 0, pin_versions=versions)
    assert await synced.poll()
    assert held(synced) == [(1, b"p" * 32)]
    assert central.calls("/pin") == 0


@pytest.mark.parametrize(
    ("role", "profile"), [(Role.SYNC_STATION, "sync-station"), (Role.ACTIVATION_BOX, "activation-box")]
)
async def test_they_are_kept_beside_the_token_and_nowhere_else(
    central: LyingCentral, tmp_path: Path, role: Role, profile: str
) -> None:
    settings = settings_of(central, tmp_path, role, profile)
    central.role = role
    central.lies["/certificate"] = refusal(409, "too_early")
    before = Credentials.load(settings.storage.credentials)
    renew(central, 2, 1)
    await synchronise(settings, clocks)
    kept = Credentials.load(settings.storage.credentials)
    assert [(each.version, each.pepper.reveal()) for each in kept.peppers] == [(2, NEW), (1, b"p" * 32)]
    assert settings.storage.credentials.stat().st_mode & 0o777 == 0o600
    assert kept.model_copy(update={"peppers": before.peppers}) == before
    others = [path.read_bytes() for path in sorted(tmp_path.iterdir()) if path != settings.storage.credentials]  # noqa: ASYNC240
    assert len(others) >= 2
    assert not any(NEW in content for content in others)
    station = await Station.open(config.load(tmp_path / "station.toml"), clocks=clocks)
    assert [version for version, _ in station.identity.pin.peppers] == [2, 1]
    await station.close()
    renew(central, 2)
    await synchronise(settings, clocks)
    assert [each.version for each in Credentials.load(settings.storage.credentials).peppers] == [2]


async def test_a_disk_that_does_not_keep_them_has_them_asked_for_again(
    central: LyingCentral, synced: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    """In these tests there is no credentials file at all."""
    renew(central, 2)
    assert await synced.poll()
    assert "pin.peppers_not_kept" in caplog.text
    again = await synced.restarted()
    assert held(again) == [(1, b"p" * 32)]
    assert await again.poll()
    assert held(again) == [(2, NEW)]
    assert NEW.decode() not in caplog.text
    await again.close()


# --- nobody has signed what /pin answers: whoever sits between can say anything ---


def forged(central: LyingCentral, **changed: Any) -> Reply:
    return said(central.pin() | changed)


def with_peppers(*peppers: tuple[int, bytes]) -> list[dict[str, Any]]:
    return [{"version": version, "pepper": encoded(pepper)} for version, pepper in peppers]


IMPOSSIBLE: dict[str, dict[str, Any]] = {
    "a_short_pepper": {"peppers": with_peppers((2, b"n"), (1, b"p" * 32))},
    "a_long_pepper": {"peppers": with_peppers((2, b"n" * 65), (1, b"p" * 32))},
    "a_short_salt": {"site_salt": encoded(b"s")},
    "a_version_twice": {"peppers": with_peppers((2, NEW), (2, b"x" * 32))},
    "not_the_version_asked_for": {"peppers": with_peppers((77, NEW), (78, NEW))},
}


@pytest.mark.parametrize("lie", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
async def test_what_cannot_be_peppers_stops_no_station_and_is_not_kept(
    central: LyingCentral, tmp_path: Path, lie: dict[str, Any]
) -> None:
    settings = settings_of(central, tmp_path, Role.SYNC_STATION, "sync-station")
    central.lies["/certificate"] = refusal(409, "too_early")
    await synchronise(settings, clocks)
    before = settings.storage.credentials.read_bytes()
    renew(central, 2, 1)
    central.lies["/pin"] = forged(central, **lie)
    station = await Station.open(config.load(tmp_path / "station.toml"), clocks=clocks)
    for _ in range(3):
        await station.mirror.poll_once()
    assert not station.mirror.online
    assert central.calls("/mirror/snapshot") == 1, "no snapshot mends it"
    assert settings.storage.credentials.read_bytes() == before
    del central.lies["/pin"]
    await station.mirror.poll_once()
    await station.close()
    kept = Credentials.load(settings.storage.credentials)
    assert [(each.version, each.pepper.reveal()) for each in kept.peppers] == [(2, NEW), (1, b"p" * 32)]


async def test_a_wrong_pepper_makes_no_right_one_wrong(central: LyingCentral, synced: Parts) -> None:
    central.lies["/pin"] = forged(central, peppers=with_peppers((1, b"x" * 32)), site_salt=encoded(b"another salt"))
    synced.clocks.advance(ASK_AGAIN_S + 1)
    assert await synced.poll()
    assert held(synced) == [(1, b"p" * 32), (1, b"x" * 32)]
    assert synced.identity.pin.site_salt == b"a site's own salt"
    del central.lies["/pin"]
    synced.clocks.advance(ASK_AGAIN_S + 1)
    assert await synced.poll()
    assert held(synced) == [(1, b"p" * 32)]


async def test_a_wrong_one_of_a_new_version_is_mended_without_anybody(central: LyingCentral, synced: Parts) -> None:
    renew(central, 2, 1)
    central.lies["/pin"] = forged(central, peppers=with_peppers((2, b"x" * 32), (1, b"x" * 32)))
    assert await synced.poll()
    assert held(synced) == [(2, b"x" * 32), (1, b"p" * 32), (1, b"x" * 32)]
    central.lies["/pin"] = Reply(503)
    synced.clocks.advance(ASK_AGAIN_S + 1)
    assert await synced.poll(), "the mirror does not wait for it"
    del central.lies["/pin"]
    synced.clocks.advance(ASK_AGAIN_S + 1)
    assert await synced.poll()
    assert held(synced) == [(2, b"x" * 32), (2, NEW), (1, b"p" * 32)]
    renew(central, 2)
    assert await synced.poll()
    assert held(synced) == [(2, b"x" * 32), (2, NEW)]
