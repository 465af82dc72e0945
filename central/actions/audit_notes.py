"""What the audit log keeps beside a change: which station told of it, or why somebody made it."""

from collections.abc import Iterator
from contextlib import contextmanager

from auditlog.context import auditlog_value, set_extra_data


@contextmanager
def noting(**told: object) -> Iterator[None]:
    """Have the audit log keep ``told`` with what changes meanwhile, beside who does it."""
    acting = auditlog_value.get({})
    # auditlog's own does not give back what was said before it: the request around it would leave its listener behind,
    # and whatever is saved later asks all that are there.
    before = auditlog_value.set(acting)
    try:
        with set_extra_data({**acting, "additional_data": told}):
            yield
    finally:
        auditlog_value.reset(before)
