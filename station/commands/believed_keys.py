"""Which central keys this station believes, for commands that judge records beside it.

The credentials file has those of the enrolment for ever. What central has named since is in the database, which is the
kiosk's while one runs; the kiosk then tells it in its status file.
"""

from config import Credentials, Settings
from station.app import Station
from station.commands.status import kiosk_runs
from station.errors import StationError
from station.records.base64url import decoded
from station.records.keys import PublicKey
from station.services import status_file


async def central_keys(settings: Settings, credentials: Credentials) -> tuple[PublicKey, ...]:
    """The keys that the station believes now; those of its enrolment where nothing newer can be found out."""
    database = settings.storage.database
    if kiosk_runs(database):
        return _told(settings) or credentials.central_keys
    if not database.exists():
        return credentials.central_keys
    try:
        station = await Station.open(settings)
    except StationError:
        # What is wrong with the database is for those to say who need more of it.
        return credentials.central_keys
    try:
        return station.identity.central_keys
    finally:
        await station.close()


def _told(settings: Settings) -> tuple[PublicKey, ...]:
    status = status_file.read(settings.storage.database.with_name(status_file.FILE_NAME)) or {}
    try:
        return tuple(decoded(text) for text in status["central_keys"])
    except (KeyError, TypeError, ValueError):
        return ()
