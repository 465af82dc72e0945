"""The demonstration: a whole site on one machine, for people (``key_ring``) and for scripts (``player``).

``world`` starts the real parts: central server, station, emulated keys on a pseudo-terminal, and a network that can be
cut. Nothing here decides anything.
"""
