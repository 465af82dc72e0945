"""Measures how fast a station is, each time against the least that it could take on the same machine in the same run.

One file for each group of figures. Nothing here is part of a running station; `station bench` alone imports it.
"""
