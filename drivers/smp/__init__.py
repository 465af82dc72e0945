"""The key socket over SMP on a serial line: framing, messages, the client and the `KeySocket` that the station uses.

What a visit does with a key is decided in ``station.core``; an emulated key to talk to is in ``drivers.emulated_key``.
"""
