"""The peppers of the site's PINs: fetched when the mirror names one that is new, dropped when it no longer does.

All PINs are renewed under a new pepper when a station was stolen, which held the old one. Meanwhile there are two.

Nobody has signed central's answer, so whoever sits between can say anything. A wrong pepper opens nothing, for the tags
that it would have to make are signed; it only makes right PINs wrong. Therefore one that is held never gives way to
another of its version, which is taken beside it, and central is asked again every few hours: what was said once in its
place does not last. Salt and cost are the site's for ever, and stay as enrolment brought them.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TypeAlias

from station.errors import StationError
from station.ports import Json
from station.records.base64url import decoded
from station.records.pin_secrets import PEPPER_BYTES, SALT_BYTES
from station.secret import Secret
from station.sync.answers import PinAnswered
from station.sync.client import AnswerRefused, CentralClient, CentralRefused, CentralUnreachable
from station.sync.identity import Identity, PinSecrets
from station.sync.timekeeping import Timekeeper

ASK_AGAIN_S = 6 * 3600
"""What the credentials file takes: an answer that is in use and cannot be kept would be lost with the program."""

Peppers: TypeAlias = tuple[tuple[int, Secret[bytes]], ...]
"""Version and pepper, newest first."""

_log = logging.getLogger("station.pin")


class PinRenewal:
    """Keeps ``identity.pin`` to what the mirror says that PINs are tagged with."""

    def __init__(
        self, link: CentralClient, identity: Identity, time: Timekeeper, keep: Callable[[PinSecrets], None]
    ) -> None:
        """``keep`` writes them where a thief of the database does not find them; raises StationError."""
        self._link, self._identity, self._time, self._keep = link, identity, time, keep
        self._asked_s = time.now().mono_s

    async def fetch(self, versions: Collection[int]) -> None:
        """Before a mirror is stored that names these: have all of them. Raises CentralUnreachable, CentralRefused."""
        missing = set(versions) - {version for version, _ in self._identity.pin.peppers}
        now_s = self._time.now().mono_s
        if not versions or (not missing and now_s - self._asked_s < ASK_AGAIN_S):
            return
        self._asked_s = now_s
        try:
            fetched = pin_secrets(await self._link.pin()).peppers
        except (CentralUnreachable, CentralRefused) as error:
            if not missing:
                _log.info("pin.peppers_not_told %s", error.code)
                return
            if isinstance(error, AnswerRefused):
                # No fault of the mirror's, which another snapshot would mend.
                raise CentralUnreachable("pin_answer_refused") from None
            raise
        wanted = tuple(pair for pair in fetched if pair[0] in versions)
        if missing - {version for version, _ in wanted}:
            raise CentralUnreachable("pin_answer_refused")
        # Until the mirror is stored, the one before it goes by the older versions.
        self._use(_beside(wanted, self._identity.pin.peppers))

    def drop_others(self, versions: Collection[int]) -> None:
        """After a mirror was stored that names these and no others: the others are worth nothing any more."""
        kept = tuple(pair for pair in self._identity.pin.peppers if pair[0] in versions)
        if kept:
            self._use(kept)

    def _use(self, peppers: Peppers) -> None:
        if peppers == self._identity.pin.peppers:
            return
        secrets = self._identity.pin = replace(self._identity.pin, peppers=peppers)
        _log.warning("pin.peppers versions=%s", ",".join(str(version) for version, _ in peppers))
        try:
            self._keep(secrets)
        except StationError as error:
            # It goes on with what it has in memory; after a restart it asks again.
            _log.error("pin.peppers_not_kept %s", error.code)


def _beside(told: Peppers, held: Peppers) -> Peppers:
    """What is held, and beside it what is told now: of each version at most the one held longest and the one told."""
    merged: dict[int, list[Secret[bytes]]] = {}
    for version, pepper in held:
        merged.setdefault(version, []).append(pepper)
    for version, pepper in told:
        first = merged.get(version, [pepper])[0]
        merged[version] = [first] if first == pepper else [first, pepper]
    return _newest_first([(version, pepper) for version, both in merged.items() for pepper in both])


def pin_versions(site: Mapping[str, Json]) -> frozenset[int]:
    """The versions that the mirror's ``site`` says that tags are made with; none where it says nothing readable."""
    versions = site.get("pin_versions")
    if not isinstance(versions, list) or not all(type(each) is int for each in versions):
        return frozenset()
    return frozenset(versions)


def pin_secrets(answer: PinAnswered) -> PinSecrets:
    """What central's answer says. Raises AnswerRefused for what cannot be it, and could not be kept."""
    try:
        salt = decoded(answer.site_salt)
        peppers = [(each.version, Secret(decoded(each.pepper))) for each in answer.peppers]
    except ValueError:
        raise AnswerRefused("central_answer_malformed", answer="PinAnswered") from None
    fits = len(salt) in SALT_BYTES and all(len(pepper.reveal()) in PEPPER_BYTES for _, pepper in peppers)
    if not fits or len({version for version, _ in peppers}) != len(peppers):
        raise AnswerRefused("central_answer_malformed", answer="PinAnswered")
    cost = answer.argon2
    return PinSecrets(salt, _newest_first(peppers), cost.time, cost.memory_kib, cost.lanes, answer.digits)


def _newest_first(peppers: Collection[tuple[int, Secret[bytes]]]) -> Peppers:
    return tuple(sorted(peppers, key=lambda pair: pair[0], reverse=True))
