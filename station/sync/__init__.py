"""The station and its central server: mirror, outbox, certificate, time, and what a station believes of them.

The only place that speaks HTTP to central; the database is reached through `station.ports.Store`.
"""
