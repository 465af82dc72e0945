"""The one-time codes ``<ident>-<secret>`` that enrol stations: valid for 15 minutes, five wrong tries, shown once."""

import hashlib
import hmac
import secrets

from django.db.models import F

from central import datafolder
from central.clock import unix_now
from central.errors import Refused
from central.models import EnrolmentCode, Station

# Without I, L, O, U: read over the telephone, typed at a counter.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
IDENT_CHARACTERS = 4
SECRET_CHARACTERS = 10
"""Five bits each: 50 bits."""
VALID_S = 15 * 60
TRIES = 5


def new_enrolment_code(station: Station) -> str:
    """Make a code that makes whoever shows it this station. Earlier unused ones of the station end."""
    EnrolmentCode.objects.filter(station=station, used_at=None).delete()
    now = unix_now()
    secret = _random(SECRET_CHARACTERS)
    ident = _random(IDENT_CHARACTERS)
    while EnrolmentCode.objects.filter(ident=ident).exists():
        ident = _random(IDENT_CHARACTERS)
    EnrolmentCode.objects.create(
        ident=ident, secret_hash=_hash(ident, secret), station=station, created_at=now, expires_at=now + VALID_S
    )
    return f"{ident}-{secret}"


def find_enrolment_code(shown: str, now: int) -> EnrolmentCode:
    """The code that was shown, if its secret is right and its time not over; whether it is used is the caller's matter.

    Raises Refused: 403 ``bad_code``, 410 ``code_spent``, 429 ``too_many_tries``.
    """
    ident, _, secret = shown.strip().upper().partition("-")
    if not ident.isascii() or not ident.isalnum():
        # No code has such a name, and PostgreSQL takes no NUL to look for.
        raise Refused(403, "bad_code", "no such code")
    # Counted before it is compared, and given back if right: five tries are five also when they come at once.
    counted = EnrolmentCode.objects.filter(ident=ident, tries__lt=TRIES).update(tries=F("tries") + 1)
    code = EnrolmentCode.objects.filter(ident=ident).first()
    if code is None:
        raise Refused(403, "bad_code", "no such code")
    if not counted:
        raise Refused(429, "too_many_tries", "five wrong tries: ask for a new code", {"Retry-After": str(VALID_S)})
    if not hmac.compare_digest(code.secret_hash, _hash(ident, secret)):
        raise Refused(403, "bad_code", "no such code")
    EnrolmentCode.objects.filter(ident=ident).update(tries=F("tries") - 1)
    if now >= code.expires_at:
        raise Refused(410, "code_spent", "this code has run out: ask for a new one")
    return code


def derived_token(shown: str, public_key: bytes) -> str:
    """The token that this code and this public key give: the same again when the first answer was lost.

    Only its SHA-256 is kept, so that it has to be derived: from the server key, the code's secret and the public key.
    """
    message = shown.strip().upper().encode("utf-8") + b"\0" + public_key
    return hmac.digest(datafolder.derived_key("station-token"), message, hashlib.sha256).hex()


def token_fingerprint(token: str) -> str:
    """What the server keeps of a token: its SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _random(characters: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(characters))


def _hash(ident: str, secret: str) -> str:
    message = f"enrolment/{ident}/{secret}".encode()
    return hmac.new(datafolder.derived_key("code"), message, hashlib.sha256).hexdigest()
