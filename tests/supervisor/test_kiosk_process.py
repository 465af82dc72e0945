"""What a kiosk's process inherits, and its heartbeat on a pipe."""

import os

from station.runtime import heartbeat as kiosk_side
from station.supervisor.kiosk_process import (
    HEARTBEAT_VARIABLE,
    REASONS_VARIABLE,
    KioskProcess,
    kiosk_environment,
)


def test_both_sides_of_the_pipe_mean_the_same_variables() -> None:
    assert HEARTBEAT_VARIABLE == kiosk_side.DESCRIPTOR_VARIABLE
    assert REASONS_VARIABLE == kiosk_side.REASONS_VARIABLE


def test_what_a_kiosk_does_not_inherit() -> None:
    own = {
        "TEXTUAL": "debug",
        "TEXTUAL_DRIVER": "x:y",
        "LINES": "3",
        "NOTIFY_SOCKET": "/run/x",
        "PYTHONFAULTHANDLER": "1",
        "LANG": "sv_SE.ISO-8859-1",
        "NO_COLOR": "",
        "PYTHONPATH": "/somewhere",
        "LC_ALL": "C",
        "CREDENTIALS_DIRECTORY": "/run/credentials/station",
    }
    made = kiosk_environment(own, ["power", "crash"])
    assert made == {
        "LANG": "sv_SE.ISO-8859-1",
        "CREDENTIALS_DIRECTORY": "/run/credentials/station",
        "TERM": "linux",
        "PYTHONUTF8": "1",
        "TEXTUAL_DISABLE_KITTY_KEY": "1",
        "STATION_START_REASONS": "power,crash",
    }


def test_the_pipe_of_beats() -> None:
    read, write = os.pipe()
    os.set_blocking(read, False)
    process = KioskProcess(0, -1, read)
    try:
        assert process.has_beaten() is False
        os.write(write, b"..")
        assert process.has_beaten() is True
        assert process.has_beaten() is False
    finally:
        os.close(write)
    assert process.has_beaten() is None
    os.close(read)
