"""Secrets in the database, sealed under the master key: ChaCha20-Poly1305, 12 random bytes of nonce before it.

What it is sealed for is authenticated with it: a row that is copied into another's place does not open. A value that is
known stands in the database sealed as well, so that a machine with another master key is refused when it starts and not
when it first signs.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from django.conf import settings
from django.db import connection
from django.db.utils import DatabaseError

from central import datafolder
from central.errors import CentralError
from central.models import SealedSecret, ServerFact
from station.records.base64url import decoded, encoded

NONCE_BYTES = 12
PURPOSE = "sealed secrets"
CHECK = "master_key_check"
CHECK_TEXT = b"this is the master key of this database"


def seal(content: bytes, what_for: str) -> bytes:
    """Seal a secret for one purpose. Raises CentralError (``master_key``) without the master key's file."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, content, what_for.encode("utf-8"))


def unseal(sealed: bytes, what_for: str) -> bytes:
    """The inverse. Raises CentralError (``master_key``) when it was sealed by another key or for something else."""
    try:
        return _cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], what_for.encode("utf-8"))
    except (InvalidTag, ValueError) as error:
        raise CentralError("master_key", reason=f"it does not open {what_for}") from error


def prepare_master_key() -> None:
    """See that this machine has the master key of the database; make one for a database in which nothing is sealed.

    Raises CentralError (``master_key``). No other process prepares the same database meanwhile.
    """
    if not ServerFact.objects.filter(name=CHECK).exists() and not SealedSecret.objects.exists():
        try:
            datafolder.make_master_key()
        except OSError as error:
            raise CentralError("data_folder", path=datafolder.folder(), reason=error.strerror) from error
        ServerFact.objects.create(name=CHECK, value=encoded(seal(CHECK_TEXT, CHECK)))
        # Settings were read before there was one.
        settings.SECRET_KEY = datafolder.derived_key("django").hex()
    check_master_key()


def check_master_key() -> None:
    """Refuse a machine without the master key of the database. Says nothing of one that is not there or empty.

    Raises CentralError (``master_key``).
    """
    # SQLite would make an empty one.
    if connection.vendor == "sqlite" and not (datafolder.folder() / "central.sqlite3").exists():
        return
    try:
        fact = ServerFact.objects.filter(name=CHECK).first()
    except DatabaseError:
        return
    if fact is None:
        return
    file = datafolder.folder() / datafolder.MASTER_KEY
    if not datafolder.has_master_key():
        reason = "it is missing: copy it from a machine that has it, or from where you keep it"
        raise CentralError("master_key", file=file, reason=reason)
    try:
        unseal(decoded(fact.value), CHECK)
    except CentralError as error:
        reason = "it is of another database: copy it from a machine that serves this one"
        raise CentralError("master_key", file=file, reason=reason) from error


def _cipher() -> ChaCha20Poly1305:
    return ChaCha20Poly1305(datafolder.derived_key(PURPOSE))
