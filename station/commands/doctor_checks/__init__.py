"""What ``station doctor`` checks: a module for each thing, named after it.

Each check gives a `Finding` or several; none changes anything.
"""
