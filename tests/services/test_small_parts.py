"""Byte strings in JSON, PIN tags off the loop, and what no part shows."""

import asyncio
import logging
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.core.entry import Entry
from station.records.base64url import decoded, encoded
from station.records.keys import SigningKey
from station.records.pins import PinFault, pin_tag
from station.secret import Secret
from station.services.identity import PinSecrets
from station.services.pin_check import PinCheck
from tests.services.lying_central import Reply
from tests.services.parts import PINS, Parts


@given(st.binary(max_size=100))
def test_base64url_round_trip(data: bytes) -> None:
    assert decoded(encoded(data)) == data


@pytest.mark.parametrize("text", ["A", "AB", "AA==", "AA\n", "A+8_", "A/8_", "å", "AAA ", "AAAA=", "\ud800AAA"])
def test_base64url_has_one_spelling(text: str) -> None:
    with pytest.raises(ValueError):
        decoded(text)


def typed(digits: str) -> Entry:
    entry = Entry()
    for digit in digits:
        entry = entry.typed(digit)
    return entry


async def test_tags_are_computed_one_at_a_time_off_the_loop() -> None:
    pins = PinCheck(PINS)
    tags = await asyncio.gather(pins.tag(typed("123456")), pins.tag(typed("654321")), pins.tag(typed("123456")))
    assert tags[0] == tags[2] == pin_tag(b"123456", PINS.site_salt, b"p" * 32, time=1, memory_kib=8, lanes=1)
    assert tags[0] != tags[1]
    assert sum(thread.name.startswith("pin") for thread in threading.enumerate()) == 1
    pins.close()


async def test_a_tag_that_cannot_be_computed() -> None:
    pins = PinCheck(PinSecrets(b"salt", Secret(b"p" * 32), time=1, memory_kib=8, lanes=1))
    with pytest.raises(PinFault) as raised:
        await pins.tag(typed("987654"))
    assert "987654" not in repr(raised.value)
    pins.close()


async def test_nothing_secret_is_shown(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert await parts.poll()
    parts.central.lies["/events"] = Reply(500)
    parts.central.lies["/mirror/changes"] = Reply(500)
    assert not await parts.poll()
    pins = PinCheck(PINS)
    seen = [parts.link, parts.time, parts.identity, parts.mirroring, parts.outbox, parts.standing, pins, PINS]
    shown = caplog.text + "".join(repr(each) + repr(vars(each) if hasattr(each, "__dict__") else "") for each in seen)
    secrets = ["a-token-of-a-station", "p" * 32, (b"p" * 32).hex(), encoded(b"p" * 32)]
    secrets += [encoded(parts.signing.seed()), parts.signing.seed().hex(), repr(parts.signing.seed())]
    for secret in secrets:
        assert secret not in shown
    assert isinstance(parts.signing, SigningKey)
    pins.close()
