"""What a station gets to know of its site's secrets and keys, at its enrolment and later."""

from central.api.schemas import Argon2, Pepper, PinSettings
from central.models import Site
from central.signing import keyring
from station.records.base64url import encoded
from station.records.pins import LANES, MEMORY_KIB, TIME_COST


def pin_settings_of(site: Site) -> PinSettings:
    """What turns a PIN into its tags: the answer of ``GET /pin``, and ``pin`` of an enrolment's."""
    secrets = keyring.pin_secrets(site)
    return PinSettings(
        site_salt=encoded(secrets.site_salt),
        argon2=Argon2(time=TIME_COST, memory_kib=MEMORY_KIB, lanes=LANES),
        digits=site.pin_digits,
        peppers=[Pepper(version=each.version, pepper=encoded(each.pepper)) for each in secrets.peppers],
    )


def chain_of(site: Site) -> list[str]:
    """``central_keys`` of an enrolment's answer: the public keys of the whole chain, oldest first."""
    return [encoded(key) for key in keyring.chain(site)]
