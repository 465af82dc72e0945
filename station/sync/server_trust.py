"""Whose certificate is believed to be central's server, and by which clock its dates are judged.

OpenSSL checks the chain and the host's name, but not the dates: it would go by the system clock, and a station whose
clock is in 2023 could never learn what time it is. The call that asks for the time believes no dates at all: what it
answers is signed, and bound to a nonce. For all other calls the certificate's own dates are judged by the station's
clock, which that answer has set.
"""

import ssl
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME (1.1.0 and later), for which the ssl module has no name."""


class ServerTrust:
    """The authorities whose word counts: the system's, or those in a file."""

    def __init__(self, ca_file: Path | None = None) -> None:
        """``ca_file``: certificates as PEM, read at once. Raises OSError, ssl.SSLError when they cannot be."""
        self._ca_file = ca_file
        self.clock: Callable[[], float] = time.time
        """By which the dates are judged, in Unix seconds."""
        if ca_file is not None:
            # The system's are read when they are first needed: whoever stands at the station waits for its screen.
            self.undated  # noqa: B018, made here so that a file that cannot be read is found here

    @cached_property
    def undated(self) -> ssl.SSLContext:
        """Believes a certificate whatever its dates."""
        context = ssl.create_default_context(cafile=str(self._ca_file) if self._ca_file is not None else None)
        context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
        return context

    @cached_property
    def dated(self) -> ssl.SSLContext:
        """Believes a certificate between its dates."""
        context = ssl.create_default_context(cafile=str(self._ca_file) if self._ca_file is not None else None)
        context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
        context.sslobject_class = _judging_dates(lambda: self.clock())  # noqa: PLW0108, the clock may be given later
        return context


def certificate_fault(error: BaseException) -> str | None:
    """What is wrong with the server's certificate, in OpenSSL's words; None where ``error`` is about something else."""
    while not isinstance(error, ssl.SSLCertVerificationError):
        before = error.__cause__ or error.__context__
        if before is None:
            return None
        error = before
    # OpenSSL gives the plain words apart; what is raised here has no others.
    return str(getattr(error, "verify_message", "") or error)


def _judging_dates(clock: Callable[[], float]) -> type[ssl.SSLObject]:
    class DatedConnection(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            # Before anything is sent: a token must not go to a server whose certificate is over.
            certificate = self.getpeercert()
            if not certificate or not _is_dated(certificate, clock()):
                raise ssl.SSLCertVerificationError("certificate is not valid at this time")

    return DatedConnection


def _is_dated(certificate: Mapping[str, object], now_s: float) -> bool:
    try:
        begins_s, ends_s = (ssl.cert_time_to_seconds(str(certificate[name])) for name in ("notBefore", "notAfter"))
    except (KeyError, ValueError):
        return False
    return begins_s <= now_s <= ends_s
