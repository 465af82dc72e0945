"""``station.toml`` and the credentials beside it: models, loading, and what is wrong with a file, line by line.

What the values mean for a decision lives in ``station.rules``; nothing here reads a clock, a key or the network.
"""

import os

# pydantic would ask every installed package whether it has a plugin for it, before it makes its first model: that takes
# a tenth of a station's start, and nothing that happens to be installed is to take part in checking a configuration.
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"

from config.credentials import Argon2Cost, Credentials
from config.enrolment import write_enrolled
from config.loading import check, find, load, schema
from config.models import Profile, Settings
from config.problems import ConfigFault, Problem

__all__ = [
    "Argon2Cost",
    "ConfigFault",
    "Credentials",
    "Problem",
    "Profile",
    "Settings",
    "check",
    "find",
    "load",
    "schema",
    "write_enrolled",
]
