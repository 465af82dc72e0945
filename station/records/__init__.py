"""Signed records: what a key, a lock, a station and central believe without a network.

``claims`` has the record types (standard library only), ``envelope`` the COSE_Sign1 bytes, ``keys`` the signing keys,
``pins`` the tags by which a PIN finds its holder, ``base64url`` how bytes stand in JSON.
What a lock, a key or a box concludes from records lives in ``station.rules``.
"""
