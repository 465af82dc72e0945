"""The visit machine: what a station does about the key in its reader, as states, inputs, effects and one table.

Pure: it reads no clock and waits for nothing. Having its effects done is the work of ``station.runtime.loop``.
"""
