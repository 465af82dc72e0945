"""Key readers: ``smp`` talks to keys on a serial line; ``emulated_key`` is a key, and its line, made of software.

A reader is a `station.ports.KeyReader`. What is done with a key is decided in ``station.visit``, and how in
``station.key``.
"""
