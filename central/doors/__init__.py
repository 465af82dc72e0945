"""Who is let in, and how often: addresses, limits on tries, log-ins, passwords, and the table of who may do what where.

Not here: what a user's roles reach (`central.office.access`) and which station is calling (`central.api.auth`).
"""
