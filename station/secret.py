"""A value that does not show itself: PINs, the pepper, tokens."""

import hmac
from typing import Generic, NoReturn, Self, TypeVar, final

S = TypeVar("S", bytes, str)


@final
class Secret(Generic[S]):
    """Holds a secret that only `reveal` gives out.

    ``repr``, ``str`` and formatting show ``Secret(…)``, not even the length. It cannot be pickled, hashed, iterated or
    made JSON of, so that it ends up in no log, cache or answer by accident. Copies are the same object.
    """

    __slots__ = ("_value",)

    def __init__(self, value: S) -> None:
        self._value: S = value

    def reveal(self) -> S:
        """The secret itself: only where it is used, never to be kept or logged."""
        return self._value

    def __eq__(self, other: object) -> bool:
        """Equal secrets of the same kind, in a time that does not tell where they differ."""
        if not isinstance(other, Secret) or type(self._value) is not type(other._value):
            return NotImplemented
        return hmac.compare_digest(_octets(self._value), _octets(other._value))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "Secret(…)"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not pickled")


def _octets(value: bytes | str) -> bytes:
    # compare_digest takes text only where it is ASCII.
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
