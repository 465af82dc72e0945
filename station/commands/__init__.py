"""The commands of ``station``: one file each, with ``configure(parser)`` and ``run(args) -> int``.

``station.cli`` finds them, turns faults into one plain line, and gives the exit code.
"""
