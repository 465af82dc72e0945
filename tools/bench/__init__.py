"""Measures how fast a station is, each figure against the least that it could take on the same machine in the same run.

`make bench` runs it. One file for each kind of figure; `site` is what they are measured at.
"""
