"""An emulated key, as unpleasant as one with Zephyr firmware, and the serial line that it is put into.

``key`` is the key itself with its ``options``, ``file_system`` its transfers, ``folder`` its files on disk (for those
who look at a key without a wire), ``key_log`` its log; ``line`` is a pseudo-terminal with the speed of a serial line.
"""
