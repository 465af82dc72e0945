"""The scenarios that come with the program: ``station demo --script NAME`` plays ``NAME.py``."""

from collections.abc import Sequence
from pkgutil import iter_modules


def names() -> Sequence[str]:
    """The scenarios that there are."""
    return sorted(module.name for module in iter_modules(__path__))
