"""Tools of development: nothing of it is installed."""
