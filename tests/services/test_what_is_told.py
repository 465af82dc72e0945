"""What is told of central when it is of no use, of the time when its keys changed, and of silent neighbours."""

import pytest

from station.commands import status
from station.records.base64url import decoded
from station.records.central_chain import CentralChain
from station.records.envelope import RecordError
from station.records.keys import SigningKey
from station.runtime import status_file
from station.sync.signed_time import answered_time
from tests.services.lying_central import LyingCentral, Reply, refusal
from tests.services.parts import Parts

NONCE = b"n" * 16


@pytest.mark.parametrize(
    ("lie", "fault", "said"),
    [
        (refusal(401, "unauthorized"), "unauthorized", "is there, but of no use (unauthorized)"),
        (Reply(503), None, "does not answer"),
        (None, None, "answers"),
    ],
)
async def test_of_what_use_central_is(
    central: LyingCentral, synced: Parts, lie: Reply | None, fault: str | None, said: str
) -> None:
    if lie is not None:
        central.lies["/mirror/changes"] = lie
    await synced.poll()
    fields = await _fields(synced)
    assert fields["central_fault"] == fault
    assert status._central(fields).startswith(said)


async def test_a_certificate_that_is_refused_is_no_silence(central: LyingCentral, synced: Parts) -> None:
    fields = await _fields(synced)
    fields |= {"online": False, "central_fault": "central_certificate_refused"}
    assert "central_certificate_refused" in status._central(fields)


async def _fields(parts: Parts) -> dict[str, object]:
    told = status_file.station_fields(
        await parts.readiness.facts(),
        parts.time,
        parts.mirror,
        configuration={"version": "1", "waiting": None, "rejected": None},
        outbox=0,
        handed_over_at=None,
        reader="empty",
    )
    return {**told, "source": "kiosk"}


def test_the_time_is_believed_along_the_links_of_its_own_answer(central: LyingCentral) -> None:
    first, second = central.signing, SigningKey.generate()
    central.next_key(1, second)
    chain = CentralChain.not_retired([first.public])
    links = [decoded(central.objects["central_key", 1]["record"])]
    central.signing = second
    answer = central.time(NONCE)
    assert answered_time(answer, links, chain, NONCE).nonce == NONCE
    with pytest.raises(RecordError, match="record_unknown_signer"):
        answered_time(answer, [], chain, NONCE)
    with pytest.raises(RecordError, match="time_of_another_nonce"):
        answered_time(answer, links, chain, b"m" * 16)


async def test_silent_neighbours_are_known_after_a_restart_without_a_network(
    central: LyingCentral, synced: Parts
) -> None:
    for number in (8, 9):
        central.put("station", number, name=f"Box {number}", address="Väg 1", unit=3, role=0)
    central.down = [9]
    assert await synced.poll()
    await central.stop()
    again = await synced.restarted()
    assert not await again.poll()
    told = (await again.readiness.facts()).neighbours
    assert [(each.station, each.silent) for each in told] == [(8, False), (9, True)]
    await again.close()
