"""Whether a valid station.toml fits this station and this machine: what the models of it cannot know."""

import os
from pathlib import Path

from config import ConfigFault, Credentials, Problem
from config.config_file import ConfigFile
from config.toml_positions import KeyPath
from station.app import identity_of, trust_of
from station.records.claims import StationCertificate
from station.runtime.profiles import PROFILES


def admit(pushed: ConfigFile, *, at_start: bool = False) -> None:
    """Raises ConfigFault for a file of another station or role, or one that names what is not there; RecordError.

    ``at_start``: whether the disk takes files is not looked at. One that does not is no fault of the file: opening the
    database says what is wrong.
    """
    settings = pushed.settings
    try:
        credentials = Credentials.load(settings.storage.credentials)
    except ConfigFault as fault:
        found = [_about(pushed, ("storage", "credentials"), problem) for problem in fault.problems]
        raise ConfigFault(fault.code, found) from None
    problems = _of_another(pushed, identity_of(credentials).claims)
    database = settings.storage.database
    if database.is_dir() or not (database.parent.is_dir() if at_start else _takes_files(database.parent)):
        expected = "expected a file in a folder that is there and that the station may write to"
        problems.append(pushed.problem(("storage", "database"), expected))
    try:
        trust_of(settings)
    except ConfigFault as fault:
        problems += [_about(pushed, ("central", "ca_file"), problem) for problem in fault.problems]
    if problems:
        raise ConfigFault("config_invalid", sorted(problems, key=lambda problem: problem.line or 0))


def _of_another(pushed: ConfigFile, claims: StationCertificate) -> list[Problem]:
    station = pushed.settings.station
    problems = []
    if station.number != claims.station:
        expected = (
            f"expected {claims.station}, the number in this station's certificate (is it another station's file?)"
        )
        problems.append(pushed.problem(("station", "number"), expected, str(station.number)))
    profile = PROFILES[claims.role].name
    if station.profile != profile:
        expected = f'expected "{profile}", the role in this station\'s certificate (only central gives roles)'
        problems.append(pushed.problem(("station", "profile"), expected, f'"{station.profile}"'))
    return problems


def _about(pushed: ConfigFile, key: KeyPath, problem: Problem) -> Problem:
    return pushed.problem(key, f"{problem.file}: {problem.expected}")


def _takes_files(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
