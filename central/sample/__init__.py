"""Invented sample data.

``site_plan`` has units, areas and stations, ``people_plan`` the people, ``seeding`` makes all.
"""
