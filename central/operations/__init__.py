"""Keeping a server going: the process, its scheduler, backup and restore, retention, the operator's pages and commands.

A Django application without models, for its commands (``management``), its admin page and that page's template.
"""
