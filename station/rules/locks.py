"""What a lock decides from what is on a key, without a network: a pure function, the first rule that fails names it.

Source: the signed-records contract, "What a lock decides". The rules that a key's own light shares are in
`activation_of`. How a signature is checked comes in from outside (`Verifier`, `Proof`), so that this stays with the
standard library.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from station.records.claims import (
    EVERY_AREA,
    Activation,
    Blocklist,
    Claims,
    KeyKind,
    KeyRecord,
    Permit,
    StationCertificate,
)

TEST_LOCK = 1
"""The number of every station's test lock: it opens for any valid activation."""

LONGEST_ACTIVATION_S = 661 * 60
"""Eleven hours, and the minute of grace before."""

PROOF_CLOCK_S = 5
"""How far the time in a key's proof may be from the key's clock as it was read."""

C = TypeVar("C", bound=Claims)


class Verifier(Protocol):
    """What the signatures are checked with; the module ``station.records.envelope`` is one."""

    def verified(self, kind: type[C], record: bytes | None, signers: Iterable[bytes]) -> C | None:
        """The claims of ``record``, or None when it is missing or must not be believed."""
        ...

    def claimed(self, kind: type[C], record: bytes | None) -> C | None:
        """What ``record`` says, whoever wrote it: to choose whose signature to look for, never to be believed."""
        ...

    def digest(self, record: bytes) -> bytes:
        """What an activation names a permit by."""
        ...


class Proof(Protocol):
    """A key's answer to the asker's own nonce; `station.records.proofs.KeyProof` is one."""

    @property
    def time_s(self) -> int | None:
        """The key's clock in Unix seconds, as it is signed; None when it is unset."""
        ...

    def signed_by(self, public_key: bytes, act: bytes) -> bool:
        """Whether the owner of this public key has signed the answer, over that content of the file ``act``."""
        ...


class Light(StrEnum):
    """What a key's light shows."""

    NONE = "none"
    GREEN = "green"
    RED = "red"
    BLUE_STEADY = "blue_steady"
    BLUE_BLINKING = "blue_blinking"
    PURPLE_BLINKING = "purple_blinking"


class Reason(StrEnum):
    """Why a lock opened or did not; also the outcome in a key's log."""

    OPENED = "opened"
    NOT_AWAKE = "not_awake"
    CLOCK_UNSET = "clock_unset"
    BAD_KEY_RECORD = "bad_key_record"
    NOT_GENUINE = "not_genuine"
    NOT_ACTIVE = "not_active"
    BAD_STATION_CERTIFICATE = "bad_station_certificate"
    BAD_ACTIVATION = "bad_activation"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    TOO_LONG = "too_long"
    WRONG_KEY = "wrong_key"
    WRONG_HOLDER = "wrong_holder"
    BAD_PERMIT = "bad_permit"
    PERMIT_MISMATCH = "permit_mismatch"
    PERMIT_EXPIRED = "permit_expired"
    CLOCK_BEHIND = "clock_behind"
    BLOCKED = "blocked"
    BLOCKED_STATION = "blocked_station"
    NO_PERMISSION = "no_permission"


_LIGHTS = {
    Reason.OPENED: Light.GREEN,
    Reason.NOT_AWAKE: Light.NONE,
    Reason.CLOCK_UNSET: Light.PURPLE_BLINKING,
    Reason.NOT_ACTIVE: Light.BLUE_BLINKING,
    Reason.EXPIRED: Light.BLUE_BLINKING,
}


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock: its number, its area, and the newest blocklist record that it has adopted."""

    number: int
    area: int
    blocklist: bytes | None = None


@dataclass(frozen=True, slots=True)
class LockDecision:
    """What a lock does, shows and logs."""

    light: Light
    opened: bool
    reason: Reason
    holder: int | None = None
    """Of the activation, once that has been verified: for the log entry."""
    adopted_blocklist: bytes | None = None
    """A record that the lock keeps from now on instead of its own, whether it opened or not."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What rules 3 to 9 say: no ``refusal`` when they all hold. The records are those verified until then."""

    refusal: Reason | None
    activation: Activation | None = None
    permit: Permit | None = None
    adopted_blocklist: bytes | None = None


def decide(
    verifier: Verifier,
    central: Sequence[bytes],
    files: Mapping[str, bytes],
    lock: Lock,
    now_s: int | None,
    *,
    button: bool,
    proof: Proof | None = None,
) -> LockDecision:
    """Whether ``lock`` opens for a key.

    ``central``: the site's central public key, or two while it is being replaced. ``files``: the key's files by name
    (``station.ports.KeyFile``); missing or at most one byte is empty. ``now_s``: Unix seconds, None when the clock is
    unset. ``button``: whether the key's button was pressed. ``proof``: the key's answer to this lock's own nonce; None
    when it gave none.
    """
    if not button:
        return _decision(Judgement(Reason.NOT_AWAKE))
    if now_s is None:
        return _decision(Judgement(Reason.CLOCK_UNSET))
    judgement = proven_activation_of(verifier, central, files, now_s, lock.blocklist, proof=proof)
    return _decision(judgement, opens=judgement.permit is not None and _permits(judgement.permit, lock))


def _decision(judgement: Judgement, *, opens: bool = False) -> LockDecision:
    reason = judgement.refusal or (Reason.OPENED if opens else Reason.NO_PERMISSION)
    return LockDecision(
        light=_LIGHTS.get(reason, Light.RED),
        opened=reason is Reason.OPENED,
        reason=reason,
        holder=judgement.activation.holder if judgement.activation else None,
        adopted_blocklist=judgement.adopted_blocklist,
    )


def _permits(permit: Permit, lock: Lock) -> bool:
    if lock.number == TEST_LOCK or permit.areas == EVERY_AREA:
        return True
    return lock.number in permit.locks or lock.area in permit.areas


def proven_activation_of(
    verifier: Verifier,
    central: Sequence[bytes],
    files: Mapping[str, bytes],
    now_s: int,
    own_blocklist: bytes | None = None,
    *,
    proof: Proof | None,
) -> Judgement:
    """Whether the key is itself, and validly activated now: rules 3 to 9. Arguments as for `decide`."""
    key = verifier.verified(KeyRecord, content(files, "id"), central)
    if key is not None and not genuine(key, files, now_s, proof):
        return Judgement(Reason.NOT_GENUINE)
    return activation_of(verifier, central, files, now_s, own_blocklist)


def genuine(key: KeyRecord, files: Mapping[str, bytes], clock_s: int, proof: Proof | None) -> bool:
    """Whether this is the key that ``key`` was signed for, and no copy of its files.

    True of a key without a public key: it cannot be told from a copy. Else ``proof`` must be signed with that key, over
    ``act`` as it was read here, at the time that ``clock_s``, the key's clock, was read. Arguments as for `decide`.
    """
    if key.key_public is None:
        return True
    # Without the time, whoever sets a key's clock after the proof would have the lock believe in another hour.
    if proof is None or proof.time_s is None or abs(proof.time_s - clock_s) > PROOF_CLOCK_S:
        return False
    return proof.signed_by(key.key_public, files.get("act", b""))


def activation_of(
    verifier: Verifier,
    central: Sequence[bytes],
    files: Mapping[str, bytes],
    now_s: int,
    own_blocklist: bytes | None = None,
) -> Judgement:
    """Whether the key is validly activated now: rules 3 to 9 but for the proof. Arguments as for `decide`."""
    key = verifier.verified(KeyRecord, content(files, "id"), central)
    if key is None:
        return Judgement(Reason.BAD_KEY_RECORD)
    if content(files, "act") is None:
        return Judgement(Reason.NOT_ACTIVE)
    certificate, activation = _signed_activation(verifier, central, files)
    if certificate is None or now_s >= certificate.expires:
        return Judgement(Reason.BAD_STATION_CERTIFICATE)
    if activation is None:
        return Judgement(Reason.BAD_ACTIVATION)
    refusal = _not_for(activation, key, now_s)
    if refusal is not None:
        return Judgement(refusal, activation)
    permit_record = content(files, "permit")
    permit = verifier.verified(Permit, permit_record, central)
    if permit is None or permit_record is None:
        return Judgement(Reason.BAD_PERMIT, activation)
    if (verifier.digest(permit_record), permit.holder) != (activation.permit_digest, activation.holder):
        return Judgement(Reason.PERMIT_MISMATCH, activation)
    if not permit.not_before <= now_s < permit.expires:
        return Judgement(Reason.PERMIT_EXPIRED, activation)
    carried = verifier.verified(Blocklist, content(files, "block"), central)
    # What central had already issued when this key was written cannot lie in the future: the clock was set back.
    if now_s < max(key.issued, permit.issued, carried.issued if carried else 0):
        return Judgement(Reason.CLOCK_BEHIND, activation)
    own = verifier.verified(Blocklist, own_blocklist, central)
    # Whether a list has expired does not matter: an old list still blocks.
    newer = carried is not None and (own is None or carried.version > own.version)
    refusal = _blocked(carried if newer else own, key, activation)
    return Judgement(
        refusal,
        activation,
        permit,
        adopted_blocklist=content(files, "block") if newer else None,
    )


def content(files: Mapping[str, bytes], name: str) -> bytes | None:
    """A key's file; None where it is missing or empty. Empty is one byte: SMP has no delete, and no upload of none."""
    record = files.get(name, b"")
    return record if len(record) > 1 else None


def _signed_activation(
    verifier: Verifier, central: Sequence[bytes], files: Mapping[str, bytes]
) -> tuple[StationCertificate | None, Activation | None]:
    """The certificate that goes with ``act``, and the activation, when it verifies with it and names its station.

    ``boxcert`` goes with an ``act`` that names its station: then ``cert`` does not matter. A box's certificate left
    over from a crisis does thus no harm.
    """
    act = content(files, "act")
    certificate = verifier.verified(StationCertificate, content(files, "boxcert"), central)
    named = verifier.claimed(Activation, act)
    if certificate is None or named is None or named.station != certificate.station:
        certificate = verifier.verified(StationCertificate, content(files, "cert"), central)
    if certificate is None:
        return None, None
    activation = verifier.verified(Activation, act, [certificate.public_key])
    return certificate, activation if activation is not None and activation.station == certificate.station else None


def _not_for(activation: Activation, key: KeyRecord, now_s: int) -> Reason | None:
    """Why a verified activation does not hold for this key now."""
    if now_s < activation.not_before:
        return Reason.NOT_YET_VALID
    if now_s >= activation.expires:
        return Reason.EXPIRED
    if activation.expires - activation.not_before > LONGEST_ACTIVATION_S:
        return Reason.TOO_LONG
    if activation.key != key.key:
        return Reason.WRONG_KEY
    if key.kind is KeyKind.PERSONAL and activation.holder != key.holder:
        return Reason.WRONG_HOLDER
    return None


def _blocked(blocklist: Blocklist | None, key: KeyRecord, activation: Activation) -> Reason | None:
    if blocklist is None:
        return None
    if key.key in blocklist.blocked_keys:
        return Reason.BLOCKED
    return Reason.BLOCKED_STATION if activation.station in blocklist.blocked_stations else None
