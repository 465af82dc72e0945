"""Django's PostgreSQL backend, but for how it notices that a connection has ended."""
