"""A key reader on a serial line with SMP keys: framing, messages, the client, `SmpKeyReader` and `SmpKeySession`.

What a visit does with a key is decided in ``station.visit``; an emulated key to talk to is in ``drivers.emulated_key``.
"""
