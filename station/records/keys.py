"""Ed25519 keys. A public key is its 32 raw bytes (RFC 8032); a signing key never shows itself."""

import os
from typing import Self, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PublicKey: TypeAlias = bytes

SEED_BYTES = 32


class SigningKey:
    """A private key that signs. Its ``repr`` shows nothing of the seed."""

    __slots__ = ("_private", "public")

    def __init__(self, seed: bytes) -> None:
        """``seed``: the 32 bytes of RFC 8032's private key. Raises ValueError for another length."""
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public: PublicKey = self._private.public_key().public_bytes_raw()

    @classmethod
    def generate(cls) -> Self:
        """A new key from the system's random numbers."""
        return cls(os.urandom(SEED_BYTES))

    def seed(self) -> bytes:
        """The 32 secret bytes, for writing to a file of mode 0600 and nowhere else."""
        return self._private.private_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over ``message``."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return "SigningKey(…)"
