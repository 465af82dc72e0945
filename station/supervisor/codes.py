"""What a kiosk's exit code tells its supervisor."""

REFUSED = frozenset({1, 2})
"""It says itself why it cannot start: see ``station.cli``."""
FAULT_CODE = 70
"""EX_SOFTWARE of sysexits.h."""
UPDATE_CODE = 75
"""EX_TEMPFAIL of sysexits.h: it wants to be started anew, for a new configuration or program."""
