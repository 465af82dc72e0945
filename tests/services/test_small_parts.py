"""PIN tags off the loop, and what no part shows."""

import asyncio
import logging
import threading
from dataclasses import replace

import pytest

from station.key.pin_tags import PinTags
from station.records.base64url import encoded
from station.records.keys import SigningKey
from station.records.pins import PinFault, pin_tag
from station.secret import Secret
from station.sync.identity import PinSecrets
from station.visit.entry import Entry
from tests.services.lying_central import Reply
from tests.services.parts import PINS, Parts


def typed(digits: str) -> Entry:
    entry = Entry()
    for digit in digits:
        entry = entry.typed(digit)
    return entry


async def test_tags_are_computed_one_at_a_time_off_the_loop() -> None:
    pins = PinTags(lambda: PINS)
    tags = await asyncio.gather(pins.tags(typed("123456")), pins.tags(typed("654321")), pins.tags(typed("123456")))
    assert tags[0] == tags[2] == (pin_tag(b"123456", PINS.site_salt, b"p" * 32, time=1, memory_kib=8, lanes=1),)
    assert tags[0] != tags[1]
    assert sum(thread.name.startswith("pin") for thread in threading.enumerate()) == 1
    pins.close()


async def test_a_pepper_that_comes_or_goes_while_the_station_runs_counts_from_the_next_pin_on() -> None:
    secrets = PINS
    pins = PinTags(lambda: secrets)
    before = await pins.tags(typed("123456"))
    secrets = replace(PINS, peppers=((2, Secret(b"q" * 32)), *PINS.peppers))
    newer = pin_tag(b"123456", PINS.site_salt, b"q" * 32, time=1, memory_kib=8, lanes=1)
    assert await pins.tags(typed("123456")) == (newer, *before)
    secrets = replace(PINS, peppers=secrets.peppers[:1])
    assert await pins.tags(typed("123456")) == (newer,)
    pins.close()


async def test_a_tag_that_cannot_be_computed() -> None:
    pins = PinTags(lambda: PinSecrets(b"salt", ((1, Secret(b"p" * 32)),), time=1, memory_kib=8, lanes=1, digits=6))
    with pytest.raises(PinFault) as raised:
        await pins.tags(typed("987654"))
    assert "987654" not in repr(raised.value)
    pins.close()


async def test_nothing_secret_is_shown(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert await parts.poll()
    parts.central.lies["/events"] = Reply(500)
    parts.central.lies["/mirror/changes"] = Reply(500)
    assert not await parts.poll()
    pins = PinTags(lambda: PINS)
    seen = [parts.link, parts.time, parts.identity, parts.mirror, parts.outbox, parts.readiness, pins, PINS]
    shown = caplog.text + "".join(repr(each) + repr(vars(each) if hasattr(each, "__dict__") else "") for each in seen)
    secrets = ["a-token-of-a-station", "p" * 32, (b"p" * 32).hex(), encoded(b"p" * 32)]
    secrets += [encoded(parts.signing.seed()), parts.signing.seed().hex(), repr(parts.signing.seed())]
    for secret in secrets:
        assert secret not in shown
    assert isinstance(parts.signing, SigningKey)
    pins.close()
