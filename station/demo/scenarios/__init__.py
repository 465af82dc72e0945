"""The scenarios that come with the program: ``station demo --script NAME`` plays ``NAME.py``."""
