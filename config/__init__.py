"""``station.toml`` and the credentials beside it: models, loading, and what is wrong with a file, line by line.

Also whether a file has been pushed (`file_watch`) and the last good ones (`good_copies`); when a pushed one is applied
is the business of ``station.pushed_config``. What the values mean for a decision lives in ``station.rules``.
"""

import os

# pydantic would ask every installed package whether it has a plugin for it, before it makes its first model: that takes
# a tenth of a station's start, and nothing that happens to be installed is to take part in checking a configuration.
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"

from config.credentials import Argon2Cost, Credentials, Pepper
from config.enrolment import write_enrolled
from config.loading import check, find, load, schema
from config.models import Profile, Settings
from config.problems import ConfigFault, Problem

__all__ = [
    "Argon2Cost",
    "ConfigFault",
    "Credentials",
    "Pepper",
    "Problem",
    "Profile",
    "Settings",
    "check",
    "find",
    "load",
    "schema",
    "write_enrolled",
]
