"""The sync station: what a station does.

``core`` decides, ``records`` signs and verifies, ``services`` act, ``ports`` names what lies between them.
Screens are in ``ui``, wires in ``drivers``, the database in ``offline_cache``, settings in ``config``.
"""
