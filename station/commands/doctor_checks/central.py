"""Checks the way to central, step by step: name, port, the server's certificate, and whether it knows this station."""

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from config import Credentials, Settings
from station.app import link_of
from station.commands.doctor_checks.finding import Finding, Level, fail, from_error, ok, warn
from station.errors import StationError
from station.records.claims import TimeAnswer
from station.records.envelope import verify
from station.records.keys import PublicKey

CONNECT_LIMIT_S = 5.0
SERVER_CERTIFICATE_WARN_DAYS = 14
CLOCK_DIFFERS_S = 60
DAY_S = 86400


async def check_central(
    settings: Settings, credentials: Credentials | None, trusted_keys: Sequence[PublicKey]
) -> list[Finding]:
    """Check each step until the first that fails. ``trusted_keys``: the central keys that this station trusts."""
    url = settings.central.url
    if url is None:
        return [ok("central", "this activation box goes without a central server")]
    found = await _check_connection_and_token(settings, url, credentials, trusted_keys)
    if settings.is_activation_box and found[0].level is Level.FAIL:
        # It is made for a place without a network: only `station sync` needs one.
        what = f"not at hand, and needed for station sync only ({found[0].what})"
        return [Finding("central", Level.OK, what, "connect it when its events are to be handed over")]
    return found


async def _check_connection_and_token(
    settings: Settings, url: str, credentials: Credentials | None, trusted_keys: Sequence[PublicKey]
) -> list[Finding]:
    try:
        found = [await _check_connection(settings, url)]
    except socket.gaierror:
        return [fail("central", f"the name in {url} is not known", "mend central.url, or the network's name server")]
    except ssl.SSLCertVerificationError as error:
        what = f"the server's certificate is not believed: {error.verify_message}"
        return [fail("central", what, "renew it, or name its authority in central.ca_file; check this clock too")]
    except (ssl.SSLError, ConnectionError) as error:
        what = f"{url} refuses the connection ({type(error).__name__})"
        return [fail("central", what, "start the central server, or mend central.url or the firewall")]
    except (OSError, TimeoutError):
        return [fail("central", f"{url} cannot be reached", "check the cable, the network and the firewall")]
    except StationError as error:
        return [from_error("central", error)]
    return found if credentials is None else [*found, *await _check_token_and_time(settings, credentials, trusted_keys)]


async def _check_connection(settings: Settings, url: str) -> Finding:
    parts = urlsplit(url)
    context: ssl.SSLContext | None = None
    if parts.scheme == "https":
        ca_file = settings.central.ca_file
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file is not None else None)
    port = parts.port or (443 if context else 80)
    async with asyncio.timeout(CONNECT_LIMIT_S):
        _, writer = await asyncio.open_connection(parts.hostname, port, ssl=context)
    certificate = writer.get_extra_info("peercert") if context else None
    version = writer.get_extra_info("ssl_object").version() if context else None
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    if not certificate:
        return ok("central", f"{url} answers; plain HTTP within this machine")
    days = int((ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) // DAY_S)
    said = f"{url} answers with {version}; the server's certificate is good for {days} days"
    if days < SERVER_CERTIFICATE_WARN_DAYS:
        return warn("central", said, "have the server's certificate renewed")
    return ok("central", said)


async def _check_token_and_time(
    settings: Settings, credentials: Credentials, trusted_keys: Sequence[PublicKey]
) -> list[Finding]:
    """Check whether central knows this station, and what time it says it is."""
    try:
        link = link_of(settings, credentials.token)
    except StationError as error:
        return [from_error("central", error)]
    nonce = os.urandom(16)
    try:
        claims = verify(TimeAnswer, await link.time(nonce), trusted_keys)
    except StationError as error:
        return [from_error("token", error)]
    finally:
        await link.close()
    found = [ok("token", "central knows this station, and its signature is believed")]
    differs_s = int(time.time()) - claims.issued
    if abs(differs_s) > CLOCK_DIFFERS_S:
        what = f"this machine's clock differs from central's by {differs_s} s"
        found.append(warn("system clock", what, "set up NTP: timedatectl set-ntp true"))
    else:
        found.append(ok("system clock", "the same as central's"))
    return found
