"""A site's secrets: the keys that sign its records, the salt and peppers of its PIN tags. Files of mode 0600."""

import secrets
from dataclasses import dataclass, field
from functools import lru_cache

from central import datafolder
from central.errors import CentralError
from central.models import CentralKey, Site
from central.signing.pins import LANES, MEMORY_KIB, PEPPER_BYTES, SALT_BYTES, TIME_COST
from station.records.keys import SigningKey
from station.records.pins import pin_tags


@dataclass(frozen=True)
class Pepper:
    """What one version of tags is made with."""

    version: int
    pepper: bytes = field(repr=False)


@dataclass(frozen=True)
class PinSecrets:
    """What turns a PIN into its tags: two peppers while PINs are renewed, newest first."""

    site_salt: bytes = field(repr=False)
    peppers: tuple[Pepper, ...]

    @property
    def newest(self) -> Pepper:
        """What every PIN that is given now is tagged with."""
        return self.peppers[0]

    def tags(self, pin: str) -> tuple[bytes, ...]:
        """The tags of a PIN under each pepper, in their order. Takes about 30 ms and 19 MiB."""
        keys = [each.pepper for each in self.peppers]
        return pin_tags(pin.encode(), self.site_salt, keys, time=TIME_COST, memory_kib=MEMORY_KIB, lanes=LANES)


def prepare_site(site: Site, now: int) -> bool:
    """Make the site's secrets if it has none yet, and note its public key. Returns whether they are new.

    Raises CentralError (``signing_key``) when the site had a key and its file is gone or another's: a new one in its
    place would make every key and lock out there worthless without a word.
    """
    try:
        is_new = site.public_key is None
        if is_new:
            seed = datafolder.keep_secret(key_file(site, 1), SigningKey.generate().seed())
            datafolder.keep_secret(_salt_file(site), secrets.token_bytes(SALT_BYTES))
            site.public_key = SigningKey(seed).public
            site.pin_version = make_pepper(site, now)
            site.save(update_fields=["public_key", "pin_version"])
        if any(central_key(site, n).public != chain(site)[n - 1] for n in (site.signing_key, site.current_key)):
            raise CentralError("signing_key", site=site.number, reason="not this site's key")
        pin_secrets(site)
    except OSError as error:
        raise CentralError("signing_key", site=site.number, reason=error.strerror) from error
    return is_new


def central_key(site: Site, number: int) -> SigningKey:
    """The site's central key of that number. Raises OSError where its file is gone."""
    return SigningKey(_secret(str(datafolder.folder()), key_file(site, number)))


def signing_key(site: Site) -> SigningKey:
    """The key that signs the site's records now, but for heads and the time. Raises OSError where its file is gone."""
    return central_key(site, site.signing_key)


def chain(site: Site) -> list[bytes]:
    """The public keys of the site's whole chain of central keys, oldest first."""
    links = CentralKey.objects.filter(site=site).order_by("number").values_list("public_key", flat=True)
    return [bytes(key) for key in (site.public_key or b"", *links)]


def verifying_keys(site: Site) -> list[bytes]:
    """Those that a record of this site may be signed with: all that are not retired."""
    return chain(site)[site.retired_key :]


def pin_secrets(site: Site) -> PinSecrets:
    """The salt and peppers of the site. Raises OSError where a file is gone."""
    folder = str(datafolder.folder())
    peppers = (Pepper(version, _secret(folder, pepper_file(site, version))) for version in site.pin_versions)
    return PinSecrets(_secret(folder, _salt_file(site)), tuple(peppers))


def make_pepper(site: Site, now: int) -> int:
    """Make the next version of the pepper. Returns its number, which no restored backup gives out again."""
    version = max(site.pin_version + 1, now)
    datafolder.keep_secret(pepper_file(site, version), secrets.token_bytes(PEPPER_BYTES))
    return version


def destroy_pepper(site: Site, version: int) -> None:
    """Take a version's file away: nobody has a PIN of it any more. Raises OSError."""
    datafolder.destroy_secret(pepper_file(site, version))


def key_file(site: Site, number: int) -> str:
    """The secret file of the site's central key of that number."""
    return f"site-{site.number}/signing-{number}.key"


def pepper_file(site: Site, version: int) -> str:
    """The secret file of that version of the site's pepper."""
    return f"site-{site.number}/pepper-{version}.key"


def forget_secrets() -> None:
    """Read every secret again: the data folder's have been replaced."""
    _secret.cache_clear()


def _salt_file(site: Site) -> str:
    return f"site-{site.number}/pin-salt.key"


@lru_cache(maxsize=64)
def _secret(_folder: str, name: str) -> bytes:
    return datafolder.read_secret(name)
