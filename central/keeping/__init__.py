"""How long personal data is kept, and what is handed to the person whom it is about."""
