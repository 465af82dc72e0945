"""An emulated key, as unpleasant as one with Zephyr firmware, and the paced line that it is put into.

``key`` is the key itself, ``file_system`` its transfers, ``folder`` its files on disk (for those who look at a key
without a wire), ``log`` its log; ``line`` is a pseudo-terminal with the speed of a serial line.
"""
