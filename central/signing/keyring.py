"""A site's secrets: the key that signs its records, the salt and pepper of its PIN tags. Files of mode 0600."""

import json
import secrets
from dataclasses import dataclass, field
from functools import lru_cache

from central import datafolder
from central.errors import CentralError
from central.models import CentralKey, Site
from central.signing.pins import PEPPER_BYTES, SALT_BYTES
from station.records.keys import SigningKey


@dataclass(frozen=True)
class PinSecrets:
    """What turns a PIN into its tag."""

    site_salt: bytes = field(repr=False)
    pepper: bytes = field(repr=False)


def prepare_site(site: Site) -> bool:
    """Make the site's secrets if it has none yet, and note its public key. Returns whether they are new.

    Raises CentralError (``signing_key``) when the site had a key and its file is gone or another's: a new one in its
    place would make every key and lock out there worthless without a word.
    """
    try:
        is_new = site.public_key is None
        if is_new:
            seed = datafolder.keep_secret(key_file(site, site.signing_key), SigningKey.generate().seed())
            datafolder.keep_secret(
                f"site-{site.number}/pin.json",
                json.dumps(
                    {"site_salt": secrets.token_hex(SALT_BYTES), "pepper": secrets.token_hex(PEPPER_BYTES)}
                ).encode("ascii"),
            )
            site.public_key = SigningKey(seed).public
            site.save(update_fields=["public_key"])
        if signing_key(site).public != bytes(site.public_key or b""):
            raise CentralError("signing_key", site=site.number, reason="not this site's key")
        pin_secrets(site)
    except OSError as error:
        raise CentralError("signing_key", site=site.number, reason=error.strerror) from error
    return is_new


def signing_key(site: Site) -> SigningKey:
    """The key that signs the site's records now. Raises OSError where its file is gone."""
    return _signing_key(str(datafolder.folder()), key_file(site, site.signing_key))


def public_keys(site: Site) -> list[bytes]:
    """The site's central public keys that stations should believe, oldest first: two while one replaces the other."""
    current = site.signing_key
    listed = set(CentralKey.objects.filter(site=site, listed=True).values_list("number", flat=True))
    numbers = [current]
    if current + 1 in listed:
        numbers.append(current + 1)
    elif current in listed:
        numbers.insert(0, current - 1)
    return [_signing_key(str(datafolder.folder()), key_file(site, number)).public for number in numbers]


def pin_secrets(site: Site) -> PinSecrets:
    """The salt and pepper of the site. Raises OSError where the file is gone."""
    return _pin_secrets(str(datafolder.folder()), site.number)


def key_file(site: Site, number: int) -> str:
    """The secret file of the site's central key of that number."""
    return f"site-{site.number}/signing-{number}.key"


def forget_secrets() -> None:
    """Read every secret again: the data folder's have been replaced."""
    _signing_key.cache_clear()
    _pin_secrets.cache_clear()


@lru_cache(maxsize=16)
def _signing_key(_folder: str, name: str) -> SigningKey:
    return SigningKey(datafolder.read_secret(name))


@lru_cache(maxsize=16)
def _pin_secrets(_folder: str, number: int) -> PinSecrets:
    content = json.loads(datafolder.read_secret(f"site-{number}/pin.json"))
    return PinSecrets(bytes.fromhex(content["site_salt"]), bytes.fromhex(content["pepper"]))
