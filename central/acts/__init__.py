"""What the office does: one function an act, for its pages, the admin page's actions and the commands alike.

Each is a change of its own, or a part of the one going on. Who may do what is `central.office.roles`' business.
"""
