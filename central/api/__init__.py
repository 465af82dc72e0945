"""The stations' API, version 1: JSON over HTTP, described by itself at ``/api/v1/openapi.json``."""
