"""Vietnamese writing: tone marks, syllables, keyboards, and the normalised views of a message. Pure functions."""
