"""Django's place for template filters."""
