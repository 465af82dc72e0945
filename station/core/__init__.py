"""What a station, a lock, a key and a box decide: no I/O, no clock of its own, standard library only.

``visit`` is the machine behind every screen; ``access``, ``attempts``, ``windows``, ``clock`` are its rules; ``locks``,
``lights`` and ``box`` say what the other side decides. Doing it is the work of ``station.key``, ``station.sync`` and
``station.runtime``.
"""
