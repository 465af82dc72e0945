"""Work on the key in the reader: switch it off, read it, bring it up to date, switch it on; its log; PINs.

``work`` does it at a station, ``box_work`` and ``update_box_work`` at boxes. What to do is decided by the visit
machine; a key is reached through `station.ports.KeySession`.
"""
