"""Signing: the site's keys and secrets, and when a key record, permit, blocklist or certificate is signed.

``settle`` keeps records in line with what the office changes; ``renewal`` signs anew what has lived half its life.
"""
