"""The Alexa side as code: the skill's documents, and how they get to Amazon."""
