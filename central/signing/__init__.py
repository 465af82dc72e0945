"""Signing: a site's keys and secrets, and each kind of record that is signed with them.

Whoever changes what a record says calls its ``sign_…`` in the same change; ``outdated`` finds what was forgotten.
"""
