"""A plain sentence with the mend for each error code, for the command line; the kiosk's words are in ``ui``."""

from collections.abc import Mapping, Sequence

from config import ConfigFault
from station.commands.command_line import UsageError
from station.errors import StationError

_TWO_WAYS = "the server's answer could be read in two ways and is refused whole; bring both to the same version"

SENTENCES: Mapping[str, str] = {
    # The central server, and the way to it.
    "central_unreachable": "the central server does not answer; check the address and the network (station doctor)",
    "central_certificate_refused": "the server's certificate is refused; renew it, or name its authority in ca_file",
    "central_answer_malformed": "what answers there is not a central server; check the address",
    "central_answers_for_no_event": "the central server takes the events but answers for none; look at its log",
    "central_pages_too_many": "the station is too far behind for changes; station sync fetches the mirror anew",
    "central_key_late": _TWO_WAYS,
    "json_too_long": "what the central server sends is too long to be one of its objects; check who is in between",
    "snapshot_too_long": "the central server sends more than it has signed; check who is in between",
    "snapshot_of_more_than_signed": "the central server sends more than it has signed; check who is in between",
    "central_url_invalid": "central.url is no address; mend it in station.toml",
    "central_time_invalid": "the central server's signed time is not believed; check its clock",
    "bad_code": "the central server does not know this code; ask for a new one",
    "code_spent": "this code has been used, or its 15 minutes are over; ask for a new one",
    "too_many_tries": "five wrong tries have ended this code; ask for a new one",
    "unauthorized": "the central server does not accept this station's token; enrol again",
    "unknown_site": "the central server does not know this station's site; check the address, or enrol again",
    "bad_proof": "the central server has not accepted this station's, or the key's, proof; try again, or report it",
    "forbidden": "the central server does not do that for a station of this kind; use a sync station",
    "number_taken": "this number or this key has been handed out already; take a number that was never used",
    "too_many_polls": "something else is asking the central server with this station's token; stop the other program",
    "unavailable": "the central server has a fault of its own; try again, and tell whoever runs it if it stays",
    "restored": "the central server was restored from a backup and is still closed; wait, or ask whoever runs it",
    "busy": "too many people are logging in to the central server at once; try again",
    "mirror_unconfirmed": "what the central server sends is not confirmed by its signature; check who is in between",
    "pin_answer_refused": "what the central server says of PINs does not fit its mirror; tell whoever runs it",
    "too_early": "the certificate is too new to be renewed; nothing is to be done",
    "bad_request": "the central server does not understand the question; bring station and server to the same version",
    "not_found": "the central server does not know that address; bring station and server to the same version",
    "CentralRefused:too_large": "the question is too long for the central server; report it with the station's log",
    "resnapshot": "the central server wants the mirror fetched anew; try again",
    "no_mirror": "this station has no mirror yet; station sync fetches it",
    # What central has sent.
    "object_malformed": "the central server has sent something malformed; bring station and server to one version",
    "object_record_invalid": "the central server has sent a record that its key has not signed; tell whoever runs it",
    "object_issued_in_future": "the central server signs with a clock that is ahead; check its clock",
    "object_older": "the central server sends what is older than what it sent before; tell whoever runs it",
    "object_contradicts_record": "the central server contradicts what it has signed; tell whoever runs it",
    "certificate_not_ours": "the certificate is not for this station's key; enrol again",
    "certificate_other_role": "the certificate is for another kind of station; enrol again",
    "certificate_not_newer": "the central server has sent an older certificate; tell whoever runs it",
    "profile_not_certified": "station.profile is not the role that central has certified; mend station.toml or enrol",
    # Signed records.
    "record_too_long": "a signed record is too long to be one; fetch or write it anew (station sync, station enrol)",
    "not_a_public_key": "a certificate is for something that is no public key; enrol again",
    "record_malformed": "a signed record is damaged; fetch or write it anew (station sync, station enrol)",
    "record_unknown_signer": "a record is signed by somebody whom this station does not know; enrol again",
    "record_bad_signature": "a record's signature is wrong; fetch or write it anew (station sync, station enrol)",
    "record_claims": "a signed record says what none may say; bring station and server to the same version",
    "record_not_deterministic": "a signed record is not written as agreed; bring station and server to one version",
    "json_malformed": _TWO_WAYS,
    "json_name": _TWO_WAYS,
    "json_name_twice": _TWO_WAYS,
    "json_number": _TWO_WAYS,
    "json_surrogate": _TWO_WAYS,
    "json_too_deep": _TWO_WAYS,
    "json_type": _TWO_WAYS,
    "object_lists": _TWO_WAYS,
    "object_named_twice": _TWO_WAYS,
    "object_without_name": _TWO_WAYS,
    "record_issued_in_future": "a record was signed by a clock that is ahead; check the central server's clock",
    "time_of_another_nonce": "the answer about the time is an old one; check who is between station and central",
    # The database.
    "bad_code_digits": "a code has 6 to 16 digits, and nothing else",
    "codes_differ": "the two codes are not the same",
    "no_such_version": "no such version is kept; station config show lists those that are",
    "in_use": "the kiosk, or another command, is using the station's database; stop it first (station status works)",
    "newer_schema": "a newer program has written the station's database; install that version again",
    "closed": "the database has been closed; try again",
    "too_many_waiting": "the disk does not answer; check it (dmesg) and replace the card",
    "no_wal": "the database's folder is on a file system without shared memory; use a local disk",
    "EROFS": "the disk takes no writes (mounted read-only); look at dmesg, then mount it anew or replace the card",
    "EACCES": "the station's database belongs to another user; chown it to the one that its folder belongs to",
    "disk_full": "the disk is full; free some space",
    "store_broken": "the station's database is damaged; move it away and start again: it is fetched anew",
    "store_io": "the station's database cannot be read or written; check its folder's permissions and the disk",
    # Keys and the key reader.
    "no_key": "no key was put in; press its button and put it in",
    "no_answer": "the key has stopped answering; press its button and put it in again",
    "damaged_answer": "the key's answer is damaged; clean the contacts and put it in again",
    "port_lost": "the key reader has been unplugged; plug it in again",
    "port_missing": "there is no such serial port; plug the key reader in, or mend key_reader.port",
    "port_denied": "the serial port may not be opened; add this user to its group (often dialout)",
    "port_stuck": "the key reader takes nothing from this computer; unplug it and plug it in again",
    "port_busy": "another program is using the key reader; stop the kiosk first",
    "port_search": "what follows hwgrep:// is no regular expression; mend key_reader.port",
    "port_unusable": "this is no serial port; mend key_reader.port",
    "ReaderLost:closed": "the key reader has been closed; try again",
    "too_large": "a file on the key is longer than any that belongs there; hand the key out anew",
    "answer_malformed": "the key answers in a way that none should; update its firmware, or use another key",
    "buffer_too_small": "the key's buffer is too small for any file; use another key",
    "offset_not_valid": "somebody else is writing to the key; take it out and put it in again",
    "not_supported": "the key cannot do that; update its firmware, or use another key",
    "key_error": "the key has refused; put it in again, or use another key",
    "act_not_cleared": "the key could not be switched off; keep it, and block it in the central system",
    "act_differs": "the key does not keep what is written to it; use another key",
    "write_differs": "the key does not keep what is written to it; use another key",
    "not_at_one_stroke": "the key takes only small requests; hand it out anew (station key provision)",
    "id_differs": "the key does not keep what is written to it; use another key",
    "session_over": "the key has been taken out; press its button and put it in again",
    "KeyRefused:blocked": "the key is blocked; keep it, and tell the coordinator",
    "clock_changed": "the station's clock was put right meanwhile; put the key in again",
    "clocks_differ": "the key's clock and the box's are hours apart; put the key in at a station first",
    "another_key": "another key has been put in meanwhile; begin again",
    "permit_newer_on_key": "the key has a newer permit than this station; station sync brings it up to date",
    "key_is_another": "the inserted key has been handed out under another number; put in the right one, or a blank one",
    "pin_tag": "a PIN cannot be checked with this site's parameters; free some memory, or enrol again",
    # The command line.
    "no_such_database": "there is no such file; --events-of names the station.db of the old disk",
    "events_of_another_station": "that database is not of a station with this one's number; nothing was handed over",
    "bad_url": "expected an https address (http only to this machine itself, as http://127.0.0.1:8000)",
    "folder_not_writable": "nothing can be written to that folder; use --config, or another user",
    "no_such_folder": "there is no such folder; station emulate --state makes one",
    "no_terminal": "this needs a terminal; without one, use what the hint says",
    "record_needs_state": "--record writes as a lock does: it needs --state, an emulated key's folder",
    "pin_not_digits": "expected a PIN of 1 to 16 digits on standard input",
    "bad_timeout": "--timeout: expected seconds, more than 0 and at most 86400",
    "link_in_use": "another emulated key is at that link; end it first, or choose another --link",
    "area_missing": "--area is needed, for every lock but number 1",
    "central_key_missing": "no station.toml says whose key is central's: name one by --config, or say --central-key",
    "link_exists": "there is already something at that path that is no link; choose another --link",
    "link_folder_missing": "the folder of --link is not there; make it, or choose another",
    "baud_out_of_range": "--baud: expected a speed from 300 to 4000000",
    # The demonstration.
    "central_not_started": "the demonstration's central server did not start; look at the log named here",
    "central_does_not_answer": "the demonstration's central server has stopped; look at the log named here",
    "central_refuses": "the demonstration's central server refuses; look at the log named here",
    "no_such_key": "the sample site has no key of that number; station demo shows those that it has",
    "nothing_noticed": "the station does not notice the key; look at the log beside its database",
    "expectation_failed": "the scenario went another way",
}
"""By code, by ``Class:code`` where a code means different things in two classes, by a database fault's reason or
errno."""


def lines(error: StationError) -> Sequence[str]:
    """What to say of ``error``: one line, or one for each mistake in a configuration file."""
    if isinstance(error, ConfigFault):
        return [str(problem) for problem in error.problems]
    sentence = sentence_for(error)
    return [f"{sentence} ({error})" if sentence else str(error)]


def sentence_for(error: StationError) -> str | None:
    """The plain sentence for ``error``; None where there is none."""
    fields = error.fields
    names = (
        str(fields.get("reason", "")),
        str(fields.get("errno", "")),
        f"{type(error).__name__}:{error.code}",
        error.code,
    )
    return next((SENTENCES[name] for name in names if name in SENTENCES), None)


def is_usage_error(error: StationError) -> bool:
    """Whether the command line or a configuration file is to blame."""
    return isinstance(error, ConfigFault | UsageError)


def first_station_error(error: BaseException) -> StationError | None:
    """The fault in ``error``: itself, or the first in a group that tasks have raised together."""
    if isinstance(error, StationError):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next((found for each in error.exceptions if (found := first_station_error(each)) is not None), None)
    return None
