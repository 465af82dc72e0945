"""Django's place for commands; `central manage help` lists them."""
