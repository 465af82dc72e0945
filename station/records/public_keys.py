"""Which 32 bytes are a public key that only its owner can sign for.

Standard library only, as ``claims``. Source: RFC 8032, section 5.1.3 (decoding a point of edwards25519).
"""

PUBLIC_KEY_BYTES = 32

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_SIGN_BIT = 1 << 255
_SMALL_ORDER_Y = frozenset(
    (
        0,
        1,
        _P - 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    )
)
"""The y of the eight points whose order divides 8. A signature by such a "key" can be made without any secret. The two
other encodings that libsodium lists are not reduced modulo p, and refused as such."""


def is_public_key(data: bytes) -> bool:
    """Whether ``data`` is the one encoding of a point of the curve that is not of small order.

    To be asked wherever a public key comes in: claims 34 and 36, an enrolment, the keys of central.
    """
    if len(data) != PUBLIC_KEY_BYTES:
        return False
    y = int.from_bytes(data, "little") & ~_SIGN_BIT
    if y >= _P or y in _SMALL_ORDER_Y:
        return False
    y_squared = y * y % _P
    # x² = (y² - 1) / (d y² + 1) has a root just when numerator times denominator has one.
    return _is_square((y_squared - 1) * (_D * y_squared + 1) % _P)


def _is_square(a: int) -> bool:
    """Whether ``a``, which p does not divide, has a square root modulo p: its Jacobi symbol, by reciprocity.

    Not Euler's ``pow(a, (p - 1) // 2, p)``: that takes seven times as long, at every record that names a key.
    """
    n, symbol = _P, 1
    while a:
        twos = (a & -a).bit_length() - 1
        a >>= twos
        if twos % 2 and n % 8 in (3, 5):
            symbol = -symbol
        if a % 4 == 3 and n % 4 == 3:
            symbol = -symbol
        a, n = n % a, a
    return symbol == 1
