"""Checks the station's certificate: whose it is, in what role, until when."""

import time

from config import Credentials, Settings
from station.app import identity_of
from station.commands.doctor_checks.finding import Finding, fail, from_error, ok, warn
from station.errors import StationError
from station.runtime.profiles import PROFILES

CERTIFICATE_WARN_DAYS = 14
"""A station renews at half of its certificate's life: with so little left, renewing has not worked for weeks."""
BOX_CERTIFICATE_WARN_DAYS = 60
"""An activation box renews only when somebody takes it to a network: there must be time to plan that."""
DAY_S = 86400


def check_certificate(settings: Settings, credentials: Credentials, expires: int | None) -> list[Finding]:
    """Check whose certificate it is, in what role, until when. ``expires``: of a renewed one; None: not known."""
    try:
        claims = identity_of(credentials).claims
    except StationError as error:
        return [from_error("certificate", error)]
    role = claims.role.name.lower().replace("_", " ")
    if PROFILES[claims.role].name != settings.station.profile:
        what = f"certified as {role}, but station.profile is {settings.station.profile}"
        return [fail("certificate", what, "mend station.profile, or enrol again")]
    if credentials.station != settings.station.number:
        what = f"for station {credentials.station}, but station.number is {settings.station.number}"
        return [warn("certificate", what, "enrol again, or mend station.number")]
    until = max(claims.expires, expires or 0)
    left_s = until - int(time.time())
    said = f"{role}, until {time.strftime('%Y-%m-%d', time.gmtime(until))}"
    if left_s <= 0:
        return [fail("certificate", f"{said}: it is over", "connect the station to central, then station sync")]
    if settings.is_activation_box:
        if left_s < BOX_CERTIFICATE_WARN_DAYS * DAY_S:
            return [warn("certificate", f"{said}: soon over", "connect the box to central, then station sync")]
    elif left_s < CERTIFICATE_WARN_DAYS * DAY_S:
        return [warn("certificate", f"{said}: not renewed for weeks", "connect it to central, then station sync")]
    return [ok("certificate", said)]
