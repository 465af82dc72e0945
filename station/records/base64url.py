"""Byte strings in JSON: base64url without padding (RFC 4648 section 5), as the central API has them."""

import base64
import binascii


def encoded(data: bytes) -> str:
    """``data`` in base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decoded_or_nothing(text: object) -> bytes:
    """The inverse; no bytes for what is none, or not the one spelling: no record and no key is empty."""
    try:
        return decoded(text) if type(text) is str else b""
    except ValueError:
        return b""


def decoded(text: str) -> bytes:
    """The inverse. Raises ValueError for anything but the one spelling of a byte string."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    # The unused low bits of the last letter give one byte string several spellings.
    if encoded(data) != text:
        raise ValueError("not base64url without padding")
    return data
