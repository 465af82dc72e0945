"""Sets Django up when it is imported, so that tests of central import what they test as any other code does.

Django in a process has one data folder: `DATA`, which `tests.central.served` seeds and serves.
"""

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import django

DATA = Path(tempfile.mkdtemp(prefix="central-tests-"))
atexit.register(shutil.rmtree, DATA, ignore_errors=True)
# Settings derive Django's secret key from it; seeding goes on with what is there.
with os.fdopen(os.open(DATA / "master.key", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as _file:
    _file.write(secrets.token_bytes(32))
os.environ["CENTRAL_DATA"] = str(DATA)
os.environ["DJANGO_SETTINGS_MODULE"] = "central.settings"
django.setup()
