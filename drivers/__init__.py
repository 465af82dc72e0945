"""Hardware as the station sees it: ``smp`` the key socket, ``emulated_key`` a key and its line without hardware.

Each satisfies a Protocol of ``station.ports``. What is done with a key is decided in ``station.visit``.
"""
