"""What keeps a station going: the loop that steps the visit machine, what the screen is told, status, heartbeat.

Work on a key is in ``station.key``, the mirror and the outbox in ``station.sync``. No screens, no serial code, no SQL.
"""
