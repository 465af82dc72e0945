"""Key records, signed when a key is handed out."""

from central.issuing import keyring
from central.models import Key
from station.records import claims
from station.records.envelope import sign


def hand_out(key: Key, now: int) -> None:
    """Sign the key's record; from now on stations know it. Inside a change."""
    sign_record(key, now)
    key.status = Key.Status.ACTIVE
    key.save()


def sign_record(key: Key, now: int) -> None:
    """Put a newly signed record into ``key``."""
    record = claims.KeyRecord(
        issued=now,
        key=key.number,
        kind=claims.KeyKind(key.kind),
        unit=key.unit.number,
        holder=key.holder.number if key.holder else None,
    )
    key.record = sign(record, keyring.signing_key(key.site))
