"""The rules: who may, wrong PINs, clocks, windows, what a lock, a key's light and an activation box decide.

Pure functions of plain values: no files, no network, no clock of their own; standard library only.
"""
