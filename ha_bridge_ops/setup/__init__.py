"""From nothing to Alexa, step by step, and all of it back."""
