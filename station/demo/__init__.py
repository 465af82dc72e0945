"""The demonstration: a whole site on one machine, for people (`key_ring`) and as scenarios (`scenario`).

`site` starts the real parts: central server, stations, emulated keys on pseudo-terminals, networks that can be cut.
Nothing here decides anything.
"""
