"""The parent process: owns the terminal, keeps the kiosk alive, hears 0 + 2 even when the kiosk hangs.

Standard library only, so that it is small and starts at once; nothing of the station is imported here. ``supervisor``
is the loop, ``kiosk_process`` what it keeps alive, ``restart_policy`` when it starts it anew, ``restart_chord`` and
``keypad`` how it hears 0 + 2.
"""
