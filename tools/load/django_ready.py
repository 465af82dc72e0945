"""Central's models in this process: import it before them. The environment says which database and data folder."""

import os

import django

from central import datafolder

datafolder.prepare(datafolder.folder())
os.environ["DJANGO_SETTINGS_MODULE"] = "central.settings"
django.setup()
