"""How large may be what turns PINs into tags: central's answer, what a station keeps, and central's own settings.

The bounds keep a wrong answer from stopping a station for minutes at every PIN.
"""

SALT_BYTES = range(8, 65)
PEPPER_BYTES = range(16, 65)
ARGON2_TIME_LIMIT = 10
"""Passes."""
ARGON2_MEMORY_KIB = range(8, 262_145)
ARGON2_LANES_LIMIT = 8
DIGITS_LIMIT = 100
