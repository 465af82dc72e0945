"""What went wrong on the command line, in a plain sentence; the kiosk's words are in ``ui``."""

from collections.abc import Sequence

from config import ConfigFault
from station.cli import UsageError
from station.errors import StationError

_SENTENCES = {
    "central_unreachable": "the central server does not answer; check the address and the network",
    "central_answer_malformed": "what answers there is not a central server; check the address",
    "central_answer_too_long": "the central server's answer is too long to be right",
    "central_time_invalid": "the central server's signed time is not believed; check its clock",
    "bad_code": "the central server does not know this code; ask for a new one",
    "code_spent": "this code has been used, or its 15 minutes are over; ask for a new one",
    "unauthorized": "the central server does not accept this station's token; enrol again",
    "profile_not_certified": "station.profile is not the role that central has certified; mend station.toml or enrol",
    "in_use": "another program is using the station's database; stop the kiosk first",
    "disk_full": "the disk is full",
    "store_broken": "the station's database is damaged; move it away and start again: it is fetched anew",
    "key_lost": "the key does not answer; press its button and put it in",
}


def lines(error: StationError) -> Sequence[str]:
    """One line, or one for each mistake in a configuration file."""
    if isinstance(error, ConfigFault):
        return [str(problem) for problem in error.problems]
    reason = str(error.fields.get("reason", ""))
    sentence = _SENTENCES.get(reason) or _SENTENCES.get(error.code)
    return [f"{sentence} ({error})" if sentence else str(error)]


def is_usage(error: StationError) -> bool:
    """Whether the command line or a configuration file is to blame."""
    return isinstance(error, ConfigFault | UsageError)
