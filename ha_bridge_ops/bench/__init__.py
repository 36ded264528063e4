"""`ha-bridge bench`: how fast the handler is, beside what is possible at best."""
