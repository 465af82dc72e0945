"""Who this station is: its certificate and signing key, the central keys it believes, the PIN secrets."""

from collections.abc import Sequence
from dataclasses import dataclass

from station.records.central_chain import CentralChain
from station.records.claims import Activation, Permit, StationCertificate, Sync
from station.records.envelope import RecordError, digest, sign, verified, verify
from station.records.keys import PublicKey, SigningKey
from station.rules.facts import Grant
from station.secret import Secret


@dataclass(frozen=True, slots=True)
class PinSecrets:
    """What turns a PIN into tags at this site."""

    site_salt: bytes
    peppers: tuple[tuple[int, Secret[bytes]], ...]
    """Version and pepper, newest first: one, or two while all PINs are renewed. A PIN matches under either."""
    time: int
    memory_kib: int
    lanes: int
    digits: int
    """Of PINs that are given now."""


class Identity:
    """The station towards keys, locks and central. The certificate may be renewed while it runs."""

    def __init__(
        self,
        *,
        station: int,
        site: int,
        certificate: bytes,
        central_keys: Sequence[PublicKey],
        signing: SigningKey,
        pin: PinSecrets,
    ) -> None:
        """``central_keys``: the chain as enrolment answered it, oldest first. ``certificate``: enrolment's, too.

        Raises RecordError when the certificate is not this station's: it would sign what no lock believes.
        """
        self.station, self.site = station, site
        self.chain = _enrolled(central_keys, certificate)
        self.pin = pin
        self._signing = signing
        self.claims = self._checked(certificate)
        self.certificate = certificate

    @property
    def central_keys(self) -> tuple[PublicKey, ...]:
        """The central keys that may have signed a record, the oldest first."""
        return self.chain.verifying()

    def trust(self, chain: CentralChain) -> None:
        """Believe the central keys of this chain from now on; a head has confirmed it."""
        self.chain = chain

    def renew(self, certificate: bytes, latest_s: int) -> None:
        """Use a new certificate, issued at ``latest_s`` (Unix seconds) at the latest.

        Raises RecordError, and keeps the old one, when it is not ours, has another role, ends earlier, or comes from
        the future: keys would carry it to locks that take its time for the present.
        """
        claims = self._checked(certificate)
        if claims.role is not self.claims.role:
            raise RecordError("certificate_other_role", type=claims.TYPE)
        if claims.issued <= self.claims.issued or claims.expires < self.claims.expires:
            raise RecordError("certificate_not_newer", type=claims.TYPE)
        if claims.issued > latest_s:
            raise RecordError("record_issued_in_future", type=claims.TYPE)
        self.certificate, self.claims = certificate, claims

    def activation(self, grant: Grant, sequence: int) -> bytes:
        """The signed ``activation/1`` of ``grant``."""
        return sign(
            Activation(
                expires=grant.expires,
                not_before=grant.not_before,
                key=grant.key,
                holder=grant.holder.holder,
                permit_digest=digest(grant.permit.record),
                station=self.station,
                clock=grant.clock,
                sequence=sequence,
            ),
            self._signing,
        )

    def sync(self, key: int, confirmed_at: int) -> bytes:
        """The signed ``sync/1`` of ``key``. ``confirmed_at``: when central last confirmed this station's mirror."""
        return sign(Sync(issued=confirmed_at, key=key, station=self.station), self._signing)

    def activation_expires(self, act: bytes, permit: bytes) -> int | None:
        """Until when an activation on a key lasts at the most; None when nothing on it can be believed."""
        try:
            return verify(Activation, act, [self._signing.public]).expires
        except RecordError:
            pass
        try:
            return verify(Permit, permit, self.central_keys).expires
        except RecordError:
            return None

    def _checked(self, certificate: bytes) -> StationCertificate:
        claims = verify(StationCertificate, certificate, self.central_keys)
        if claims.station != self.station or claims.public_key != self._signing.public:
            raise RecordError("certificate_not_ours", type=claims.TYPE)
        return claims


def _enrolled(central_keys: Sequence[PublicKey], certificate: bytes) -> CentralChain:
    """The chain of an enrolment: who signed the certificate in it is the current key. Raises RecordError."""
    verify(StationCertificate, certificate, central_keys)
    signer = next(key for key in central_keys if verified(StationCertificate, certificate, [key]) is not None)
    try:
        return CentralChain.enrolled(central_keys, signer)
    except ValueError:
        raise RecordError("not_a_public_key", type=StationCertificate.TYPE) from None
