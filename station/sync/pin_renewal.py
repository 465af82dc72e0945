"""The peppers of the site's PINs: fetched when the mirror names one that is new, dropped when it no longer does.

All PINs are renewed under a new pepper when a station was stolen, which held the old one. Meanwhile there are two.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from station.errors import StationError
from station.ports import Json
from station.records.base64url import decoded
from station.secret import Secret
from station.sync.answers import PinAnswered
from station.sync.client import AnswerRefused, CentralClient
from station.sync.identity import Identity, PinSecrets

_log = logging.getLogger("station.pin")


class PinRenewal:
    """Keeps ``identity.pin`` to what the mirror says that PINs are tagged with."""

    def __init__(self, link: CentralClient, identity: Identity, keep: Callable[[PinSecrets], None]) -> None:
        """``keep`` writes them where a thief of the database does not find them; raises StationError."""
        self._link, self._identity, self._keep = link, identity, keep

    async def fetch(self, versions: Collection[int]) -> None:
        """Before a mirror is stored that names these: have all of them. Raises CentralUnreachable, CentralRefused."""
        if self._have() >= set(versions):
            return
        fetched = pin_secrets(await self._link.pin())
        new = {version for version, _ in fetched.peppers}
        # Until the mirror is stored, the one before it goes by the older ones.
        older = [pair for pair in self._identity.pin.peppers if pair[0] not in new]
        self._use(replace(fetched, peppers=_newest_first([*fetched.peppers, *older])))

    def drop_others(self, versions: Collection[int]) -> None:
        """After a mirror was stored that names these and no others: the others are worth nothing any more."""
        kept = tuple(pair for pair in self._identity.pin.peppers if pair[0] in versions)
        if kept and kept != self._identity.pin.peppers:
            self._use(replace(self._identity.pin, peppers=kept))

    def _have(self) -> set[int]:
        return {version for version, _ in self._identity.pin.peppers}

    def _use(self, secrets: PinSecrets) -> None:
        self._identity.pin = secrets
        _log.warning("pin.peppers versions=%s", ",".join(str(version) for version, _ in secrets.peppers))
        try:
            self._keep(secrets)
        except StationError as error:
            # It goes on with what it has in memory; after a restart it asks again.
            _log.error("pin.peppers_not_kept %s", error.code)


def pin_versions(site: Mapping[str, Json]) -> frozenset[int]:
    """The versions that the mirror's ``site`` says that tags are made with; none where it says nothing readable."""
    versions = site.get("pin_versions")
    if not isinstance(versions, list) or not all(type(each) is int for each in versions):
        return frozenset()
    return frozenset(versions)


def pin_secrets(answer: PinAnswered) -> PinSecrets:
    """What central's answer says. Raises AnswerRefused for what cannot be it."""
    try:
        salt = decoded(answer.site_salt)
        peppers = [(each.version, Secret(decoded(each.pepper))) for each in answer.peppers]
    except ValueError:
        raise AnswerRefused("central_answer_malformed", answer="PinAnswered") from None
    cost = answer.argon2
    return PinSecrets(salt, _newest_first(peppers), cost.time, cost.memory_kib, cost.lanes, answer.digits)


def _newest_first(peppers: Collection[tuple[int, Secret[bytes]]]) -> tuple[tuple[int, Secret[bytes]], ...]:
    return tuple(sorted(peppers, key=lambda pair: pair[0], reverse=True))
