"""Checks the way to central, step by step: name, port, the server's certificate, and whether it knows this station."""

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from config import Credentials, Settings
from station.app import link_of, trust_of
from station.commands.command_line import utc_text
from station.commands.doctor_checks.finding import Finding, Level, fail, from_error, ok, warn
from station.errors import StationError
from station.records.central_chain import CentralChain
from station.records.keys import PublicKey
from station.sync.client import CentralClient, Resnapshot
from station.sync.signed_time import answered_time

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
        connection = await _connect(settings, url)
    except socket.gaierror:
        return [fail("central", f"the name in {url} is not known", "mend central.url, or the network's name server")]
    except ssl.SSLCertVerificationError as error:
        what = f"the server's certificate is not believed: {error.verify_message}"
        return [fail("central", what, "renew it, or name its authority in central.ca_file")]
    except (ssl.SSLError, ConnectionError) as error:
        what = f"{url} refuses the connection ({type(error).__name__})"
        return [fail("central", what, "start the central server, or mend central.url or the firewall")]
    except (OSError, TimeoutError):
        return [fail("central", f"{url} cannot be reached", "check the cable, the network and the firewall")]
    except StationError as error:
        return [from_error("central", error)]
    if credentials is None:
        return [_of_connection(url, connection, time.time())]
    link = link_of(settings, credentials.token)
    try:
        signed_s, found = await _ask_time(link, credentials, trusted_keys)
        now_s = time.time() if signed_s is None else signed_s
        link.judge_dates_by(lambda: now_s)
        return [_of_connection(url, connection, now_s), *found, await _ask_as_station(link)]
    finally:
        await link.close()


@dataclass(frozen=True, slots=True)
class _Connection:
    """What a TLS connection has shown; nothing of the kind where it is plain HTTP within this machine."""

    version: str | None = None
    certificate: Mapping[str, Any] | None = None


async def _connect(settings: Settings, url: str) -> _Connection:
    """Connect as the station does when it asks for the time: whatever the dates of the server's certificate."""
    parts = urlsplit(url)
    context = trust_of(settings).undated if parts.scheme == "https" else None
    port = parts.port or (443 if context else 80)
    async with asyncio.timeout(CONNECT_LIMIT_S):
        _, writer = await asyncio.open_connection(parts.hostname, port, ssl=context)
    shown = _Connection()
    if context is not None:
        shown = _Connection(writer.get_extra_info("ssl_object").version(), writer.get_extra_info("peercert"))
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return shown


def _of_connection(url: str, connection: _Connection, now_s: float) -> Finding:
    if not connection.certificate:
        return ok("central", f"{url} answers; plain HTTP within this machine")
    begins_s, ends_s = (ssl.cert_time_to_seconds(connection.certificate[name]) for name in ("notBefore", "notAfter"))
    if not begins_s <= now_s <= ends_s:
        what = f"the server's certificate is valid from {utc_text(begins_s)} until {utc_text(ends_s)}, and not now"
        return fail("central", what, "have the server's certificate renewed")
    days = int((ends_s - now_s) // DAY_S)
    said = f"{url} answers with {connection.version}; the server's certificate is good for {days} days"
    if days < SERVER_CERTIFICATE_WARN_DAYS:
        return warn("central", said, "have the server's certificate renewed")
    return ok("central", said)


async def _ask_time(
    link: CentralClient, credentials: Credentials, trusted_keys: Sequence[PublicKey]
) -> tuple[int | None, list[Finding]]:
    """Central's signed time (Unix seconds), and what it says about this machine's clock."""
    nonce = os.urandom(16)
    try:
        record, links = await link.time(credentials.site, nonce)
        answer = answered_time(record, links, CentralChain.not_retired(trusted_keys), nonce)
    except StationError as error:
        return None, [from_error("time", error)]
    found = [ok("time", f"central's signature is believed: {utc_text(answer.issued)}")]
    differs_s = int(time.time()) - answer.issued
    if abs(differs_s) > CLOCK_DIFFERS_S:
        what = f"this machine's clock differs from central's by {differs_s} s; keys go by central's"
        found.append(warn("system clock", what, "set up NTP: timedatectl set-ntp true"))
    else:
        found.append(ok("system clock", "the same as central's"))
    return answer.issued, found


async def _ask_as_station(link: CentralClient) -> Finding:
    """Ask for the changes since a cursor that is none: central refuses that only once it knows who asks."""
    try:
        await link.changes("none", os.urandom(16))
    except Resnapshot:
        pass
    except StationError as error:
        return from_error("token", error)
    return ok("token", "central knows this station")
