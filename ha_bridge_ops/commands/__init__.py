"""What one types: one module a command; options, help and exit status."""
