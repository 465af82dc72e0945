"""The central server: staff, keys, areas, permits and events of a site, its admin page and the stations' API.

An extra that stations do not install; it shares ``station.records`` and ``station.errors`` with them, nothing else.
"""
