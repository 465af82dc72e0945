"""The services act: they run visits, refresh the mirror, drain the outbox, keep time.

What to do is decided in ``station.core``; the outside is reached through ``station.ports`` (sockets, store) and
``central_link`` (HTTP). No screens here, no serial code, no SQL.
"""
