"""A key reader on a serial line with SMP keys: framing, messages, the client, `SmpKeyReader` and `SmpKeySession`.

What is done with a key is the business of ``station.key``; an emulated key to talk to is in ``drivers.emulated_key``.
"""
