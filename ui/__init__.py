"""What people see: Textual screens, their words and translations. Shows snapshots, sends keystrokes, decides nothing.

``kiosk`` is the app, ``visit_screen`` its one screen, ``kiosk.tcss`` where things stand and in which colours; ``words``
puts a snapshot into words. ``terminal`` shows another program's screen. Nothing here knows a key, the database or
central.
"""

import os

# Textual reads its environment while it is imported. Key release reports of the kitty protocol end the app, and
# TEXTUAL=debug or TEXTUAL_PRESS would let whoever sets the environment see or type PINs. With NO_COLOR, even empty,
# Textual 8.2.8 writes black on black where colours are the console's own.
for _name in [name for name in os.environ if name.startswith("TEXTUAL") or name == "NO_COLOR"]:
    del os.environ[_name]
os.environ["TEXTUAL_DISABLE_KITTY_KEY"] = "1"
