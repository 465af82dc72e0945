"""A site's secrets: the keys that sign its records, the salt and peppers of its PIN tags.

They are in the database, sealed: what one machine makes, every other has at once. None ever changes once it is made, so
each process keeps those that it has opened. Which one is in use now is always read from the site's row.
"""

import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from central.errors import CentralError
from central.models import CentralKey, SealedSecret, Site
from central.signing.pins import PEPPER_BYTES, SALT_BYTES
from central.signing.sealing import seal, unseal
from station.records.keys import SigningKey
from station.records.pins import pin_tags

Kind: TypeAlias = SealedSecret.Kind
OPEN_AT_ONCE = 4096
"""Secrets that a process keeps: all of a thousand sites. A few hundred bytes each."""


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
        return pin_tags(pin.encode(), self.site_salt, keys)


def prepare_site(site: Site, now: int) -> bool:
    """Make the site's secrets if it has none yet, and note its public key. Returns whether they are new.

    Raises CentralError (``signing_key``) when the site had a key and it is gone or another's: a new one in its place
    would make every key and lock out there worthless without a word.
    """
    is_new = site.public_key is None
    if is_new:
        first = SigningKey.generate()
        site.public_key = first.public
        keep_signing_key(site, 1, first)
        _keep(site, Kind.PIN_SALT, 0, secrets.token_bytes(SALT_BYTES))
        site.pin_version = make_pepper(site, now)
        site.save(update_fields=["public_key", "pin_version"])
    links = chain(site)
    if any(central_key(site, n).public != links[n - 1] for n in (site.signing_key, site.current_key)):
        raise CentralError("signing_key", site=site.number, reason="not this site's key")
    pin_secrets(site)
    return is_new


def central_key(site: Site, number: int) -> SigningKey:
    """The site's central key of that number. Raises CentralError (``signing_key``) where it is gone."""
    return _signing_key(site.pk, bytes(site.public_key or b""), number)


def signing_key(site: Site) -> SigningKey:
    """The key that signs the site's records now, but for heads and the time. Raises as `central_key`."""
    return central_key(site, site.signing_key)


def keep_signing_key(site: Site, number: int, key: SigningKey) -> None:
    """Keep a new central key of the site. Inside a transaction."""
    _keep(site, Kind.SIGNING_KEY, number, key.seed())


def destroy_signing_key(site: Site, number: int) -> None:
    """Destroy a central key: nothing is signed with it any more."""
    SealedSecret.objects.filter(site=site, kind=Kind.SIGNING_KEY, number=number).delete()


def chain(site: Site) -> list[bytes]:
    """The public keys of the site's whole chain of central keys, oldest first."""
    links = CentralKey.objects.filter(site=site).order_by("number").values_list("public_key", flat=True)
    return [bytes(key) for key in (site.public_key or b"", *links)]


def verifying_keys(site: Site) -> list[bytes]:
    """Those that a record of this site may be signed with: all that are not retired."""
    return chain(site)[site.retired_key :]


def pin_secrets(site: Site) -> PinSecrets:
    """The salt and peppers of the site. Raises CentralError (``signing_key``) where one is gone."""
    try:
        return _pin_secrets(site)
    except CentralError:
        # A renewal may have ended, and its old pepper with it, since the row was read.
        site.refresh_from_db(fields=["pin_version", "pin_version_ending"])
        return _pin_secrets(site)


def _pin_secrets(site: Site) -> PinSecrets:
    which = site.pk, bytes(site.public_key or b"")
    peppers = (Pepper(version, _secret(*which, Kind.PEPPER, version)) for version in site.pin_versions)
    return PinSecrets(_secret(*which, Kind.PIN_SALT, 0), tuple(peppers))


def make_pepper(site: Site, now: int) -> int:
    """Make the next version of the pepper. Returns its number, which no restored backup gives out again.

    Inside a transaction.
    """
    version = max(site.pin_version + 1, now)
    _keep(site, Kind.PEPPER, version, secrets.token_bytes(PEPPER_BYTES))
    return version


def destroy_pepper(site: Site, version: int) -> None:
    """Destroy a version: nobody has a PIN of it any more."""
    SealedSecret.objects.filter(site=site, kind=Kind.PEPPER, number=version).delete()


def forget_secrets() -> None:
    """Read every secret again: the database has been replaced."""
    _secret.cache_clear()
    _signing_key.cache_clear()


def _keep(site: Site, kind: Kind, number: int, content: bytes) -> None:
    sealed = seal(content, _what_for(site.pk, kind, number))
    SealedSecret.objects.create(site=site, kind=kind, number=number, sealed=sealed)


# By the site's first public key as well: a site that was never committed may have had the same database id.
@lru_cache(maxsize=OPEN_AT_ONCE)
def _signing_key(site: int, first_key: bytes, number: int) -> SigningKey:
    return SigningKey(_secret(site, first_key, Kind.SIGNING_KEY, number))


@lru_cache(maxsize=OPEN_AT_ONCE)
def _secret(site: int, _first_key: bytes, kind: Kind, number: int) -> bytes:
    row = SealedSecret.objects.filter(site=site, kind=kind, number=number).first()
    if row is None:
        raise CentralError("signing_key", secret=_what_for(site, kind, number), reason="it is gone")
    return unseal(bytes(row.sealed), _what_for(site, kind, number))


def _what_for(site: int, kind: Kind, number: int) -> str:
    return f"site {site} {kind.value} {number}"
