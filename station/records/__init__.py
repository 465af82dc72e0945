"""Signed records: what a key, a lock, a station and central believe without a network.

``claims`` has the record types (standard library only, with ``public_keys``), ``envelope`` the COSE_Sign1 bytes,
``keys`` the signing keys. ``strict_json``, ``mirror_digest``, ``mirror_head`` and ``central_chain`` say what confirms a
mirror; ``proofs``, ``pins``, ``log_ids`` and ``base64url`` what else both ends compute alike. What a lock, a key or a
box concludes from records lives in ``station.rules``.
"""
