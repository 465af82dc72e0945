"""What people see: Textual screens, their words and translations. Shows snapshots, sends keystrokes, decides nothing.

``words`` composes the text, ``kiosk`` is the screen, ``terminal`` shows another program's screen, ``picture`` draws one
for the documentation. Nothing here knows services, drivers or the database.
"""

import os

# Textual reads its environment while it is imported. Key release reports of the kitty protocol end the app, and
# TEXTUAL=debug or TEXTUAL_PRESS would let whoever sets the environment see or type PINs.
for _name in [name for name in os.environ if name.startswith("TEXTUAL")]:
    del os.environ[_name]
os.environ["TEXTUAL_DISABLE_KITTY_KEY"] = "1"
