"""Credentials of a station that a test's central has enrolled."""

from config.credentials import Argon2Cost, Credentials, Pepper
from station.records.claims import Role
from station.records.keys import SigningKey
from station.secret import Secret
from tests.services.lying_central import STATION, LyingCentral


def credentials_for(
    central: LyingCentral, signing: SigningKey, certificate: bytes, role: Role = Role.SYNC_STATION
) -> Credentials:
    """With PINs that cost next to nothing to check."""
    return Credentials(
        station=STATION,
        site=1,
        role=role,
        token=Secret("a-token-of-a-station"),
        signing_seed=Secret(signing.seed()),
        certificate=certificate,
        central_keys=(central.signing.public,),
        site_salt=b"a site's own salt",
        peppers=(Pepper(version=1, pepper=Secret(b"p" * 32)),),
        argon2=Argon2Cost(time=1, memory_kib=8, lanes=1),
        pin_digits=6,
    )
