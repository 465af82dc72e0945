"""What ``station doctor`` checks: ``machine`` what can be found out on this machine alone, ``central`` the way there.

Each check gives a `Finding` or several; none changes anything.
"""
