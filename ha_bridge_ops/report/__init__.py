"""Is my home good: the function's own log lines, beside published numbers."""
