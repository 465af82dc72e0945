"""The stations' API, version 1: JSON over HTTP, described by itself at ``/api/v1/openapi.json``.

``calls`` has the calls, ``schemas`` their shapes. What a call does is in ``central.actions``, what a station gets to
read in ``central.feed``.
"""
