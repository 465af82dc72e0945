"""The admin page: Django's own, with every save inside a change, and what is shown once shown once."""

from central.admin import codes, events, people, places, stations

__all__ = ["codes", "events", "people", "places", "stations"]
