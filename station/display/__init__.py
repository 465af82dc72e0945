"""What a screen has to say, as one snapshot (`screen.Screen`): codes and numbers, no words, no I/O.

``snapshot`` makes it from the visit's state; ``idle`` is what an empty station shows; ``key_findings`` and ``contact``
are told besides. Nothing here decides anything about a key; words and looks are in ``ui``.
"""
