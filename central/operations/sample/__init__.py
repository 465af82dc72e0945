"""Invented sample data: ``places`` has units, areas and stations, ``people`` people and keys; ``seed`` makes all."""
