"""The WSGI application, for `central serve`. Behind another server it works too, but no poll waits."""

import os

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application

from central.api.http import LeanHeaders

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "central.settings")

# The admin's few style sheets; where a proxy serves /static/ itself, they never get here.
application = LeanHeaders(StaticFilesHandler(get_wsgi_application()))
