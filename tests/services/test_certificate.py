"""The station's certificate: renewed at half of its life, kept, and never for another key or role."""

from typing import Any

import pytest

from station.records.base64url import encoded
from station.records.claims import Role
from station.records.envelope import RecordError
from station.records.keys import SigningKey
from station.sync.certificate import CERTIFICATE_NOTE, RENEW_AGAIN_S
from station.sync.identity import Identity
from tests.services.lying_central import DAY_S, NOW_S, STATION, LyingCentral, refusal
from tests.services.parts import PINS, Parts

HALF_S = 25 * DAY_S
"""Until half of the life of the certificate in `parts`."""


async def test_renewed_at_half_and_there_after_a_restart(central: LyingCentral, synced: Parts) -> None:
    synced.clocks.advance(HALF_S - 1)
    assert await synced.poll()
    assert central.calls("/certificate") == 0
    central.certificate = central.certify(synced.signing.public, NOW_S + HALF_S)
    synced.clocks.advance(1)
    assert await synced.poll()
    assert synced.identity.certificate == central.certificate
    assert synced.time.floor_s >= NOW_S + HALF_S
    await central.stop()
    again = await synced.restarted()
    assert again.identity.certificate == central.certificate
    assert again.identity.claims.expires == NOW_S + HALF_S + 60 * DAY_S
    assert (await again.readiness.facts()).certificate_expires == NOW_S + HALF_S + 60 * DAY_S
    await again.close()


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another_key": ({"public_key": SigningKey.generate().public}, "certificate_not_ours"),
    "another_station": ({"station": STATION + 1}, "certificate_not_ours"),
    "another_role": ({"role": Role.ACTIVATION_BOX}, "certificate_other_role"),
    "the_same_again": ({"issued": NOW_S - 5 * DAY_S}, "certificate_not_newer"),
    "ends_earlier": ({"expires": NOW_S + 26 * DAY_S}, "certificate_not_newer"),
    "from_the_future": ({"issued": NOW_S + 60 * DAY_S, "expires": NOW_S + 90 * DAY_S}, "record_issued_in_future"),
}


@pytest.mark.parametrize(("changed", "reason"), WRONG.values(), ids=WRONG)
async def test_a_wrong_renewal(central: LyingCentral, synced: Parts, changed: dict[str, Any], reason: str) -> None:
    before = synced.identity.certificate
    claims: dict[str, Any] = {"public_key": synced.signing.public, "issued": NOW_S + HALF_S} | changed
    central.certificate = central.certify(**claims)
    synced.clocks.advance(HALF_S)
    for _ in range(3):
        assert await synced.poll()
        assert synced.identity.certificate == before
    assert await synced.reasons() == [reason]
    assert await synced.store.note(CERTIFICATE_NOTE) is None
    assert central.calls("/certificate") == 1, "not at every poll"
    central.certificate = central.certify(synced.signing.public, NOW_S + HALF_S)
    synced.clocks.advance(RENEW_AGAIN_S)
    assert await synced.poll()
    assert synced.identity.certificate == central.certificate


async def test_a_renewal_by_a_rogue(central: LyingCentral, synced: Parts) -> None:
    before = synced.identity.certificate
    central.certificate = LyingCentral().certify(synced.signing.public, NOW_S + HALF_S)
    synced.clocks.advance(HALF_S)
    assert await synced.poll()
    assert synced.identity.certificate == before
    assert await synced.reasons() == ["record_unknown_signer"]


async def test_central_will_not_yet(central: LyingCentral, synced: Parts, caplog: pytest.LogCaptureFixture) -> None:
    central.lies["/certificate"] = refusal(409, "too_early")
    synced.clocks.advance(HALF_S)
    assert await synced.poll(), "that is no outage"
    assert "certificate.not_renewed too_early" in caplog.text


@pytest.mark.parametrize("note", ["?", "AAAA", "of_another_key"])
async def test_a_kept_certificate_that_is_not_ours(central: LyingCentral, synced: Parts, note: str) -> None:
    if note == "of_another_key":
        note = encoded(central.certify(SigningKey.generate().public, NOW_S))
    await synced.store.note(CERTIFICATE_NOTE, note)
    again = await synced.restarted()
    assert again.identity.certificate == again.first_certificate
    await again.close()


async def test_after_a_new_enrolment_its_certificate_is_the_newer(central: LyingCentral, synced: Parts) -> None:
    await synced.store.note(CERTIFICATE_NOTE, encoded(central.certify(synced.signing.public, NOW_S - 2 * DAY_S)))
    synced.first_certificate = central.certify(synced.signing.public, NOW_S)
    again = await synced.restarted()
    assert again.identity.certificate == synced.first_certificate
    await again.close()


def test_no_identity_with_a_certificate_of_another() -> None:
    central = LyingCentral()
    signing = SigningKey.generate()
    for certificate in [central.certify(SigningKey.generate().public, NOW_S), b"", b"garbage"]:
        with pytest.raises(RecordError):
            Identity(
                station=STATION,
                site=1,
                certificate=certificate,
                central_keys=[central.signing.public],
                signing=signing,
                pin=PINS,
            )


async def test_until_when_an_activation_lasts_at_most(central: LyingCentral, synced: Parts) -> None:
    from station.records.base64url import decoded
    from station.records.claims import Category, ClockSource, Permit, Sync
    from station.records.envelope import verify
    from station.rules.facts import Grant, HolderEntry, PermitEntry

    record = decoded(str(await synced.field("permit", 1, "record")))
    permit = verify(Permit, record, synced.identity.central_keys)
    holder = HolderEntry(11, "Eva E", Category.PERMANENT, 3, ended=False)
    grant = Grant(51, holder, PermitEntry(permit, record, None), NOW_S - 60, NOW_S + 3600, ClockSource.SYNCED)
    act = synced.identity.activation(grant, 1)
    assert synced.identity.activation_expires(act, record) == NOW_S + 3600
    assert synced.identity.activation_expires(b"somebody else's", record) == permit.expires
    assert synced.identity.activation_expires(b"", b"") is None
    assert verify(Sync, synced.identity.sync(51, NOW_S), [synced.signing.public]).issued == NOW_S
