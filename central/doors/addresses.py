"""Where a request comes from, and the networks by which tries are counted."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

NOWHERE = "unknown"
"""One bucket for all whose address cannot be read: a proxy that sends none must not switch the limits off."""
ADDRESS_LIMIT_CHARACTERS = 64
ONE_HOST_BITS = 64
"""Of an IPv6 address: whoever has one has 2^64, and a new one for each try costs nothing."""
ONE_CUSTOMER_BITS = 48


def address_of(request: HttpRequest | None) -> str:
    """The caller's address; behind the proxy (``CENTRAL_TLS=1``) the one that the proxy saw, the last in its list.

    What stands before the last was written by the caller itself: whoever believed it could be locked out of nothing.
    Some proxies write the port as well.
    """
    if request is None:
        return NOWHERE
    seen = str(request.META.get("REMOTE_ADDR", ""))
    if settings.USE_TLS:
        seen = str(request.headers.get("X-Forwarded-For", "")).rpartition(",")[2].strip() or seen
    parsed = _parsed(seen[:ADDRESS_LIMIT_CHARACTERS])
    return NOWHERE if parsed is None else str(parsed)


def network_of(request: HttpRequest | None) -> str:
    """The smallest network that is one caller: an IPv4 address, or the /64 of an IPv6 address."""
    return _network(address_of(request), ONE_HOST_BITS)


def wide_network_of(request: HttpRequest | None) -> str:
    """The network that one customer of a provider has: an IPv4 address, or the /48 of an IPv6 address."""
    return _network(address_of(request), ONE_CUSTOMER_BITS)


def _network(address: str, bits: int) -> str:
    parsed = _parsed(address)
    if parsed is None or parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, bits), strict=False))


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    bare = text[1:].partition("]")[0] if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    # Cut to /64, all of IPv4 would be one network.
    return getattr(found, "ipv4_mapped", None) or found
