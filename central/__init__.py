"""The central server: staff, keys, areas, permits and events of a site; an extra that stations do not install.

In layers, each knowing those before it: ``models``, ``signing``, ``feed``, ``actions``, and ``api``, ``office`` and
``operations`` side by side. It shares ``station.records`` with stations, their version, and nothing that decides.
"""
