"""Ed25519 as it is, but each signature is checked once: a visit asks for the same few again and again."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class CheckedOnce:
    """Stands where `station.records.envelope` expects `Ed25519PublicKey`. What does not verify is never remembered."""

    def __init__(self) -> None:
        self._right: set[tuple[bytes, bytes, bytes]] = set()

    def from_public_bytes(self, public: bytes) -> "_Checker":
        return _Checker(public, self._right)


class _Checker:
    def __init__(self, public: bytes, right: set[tuple[bytes, bytes, bytes]]) -> None:
        self._public, self._right = public, right

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises InvalidSignature."""
        asked = self._public, signature, message
        if asked not in self._right:
            Ed25519PublicKey.from_public_bytes(self._public).verify(signature, message)
            self._right.add(asked)
