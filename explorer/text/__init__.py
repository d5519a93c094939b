"""Numbers and names in words, once."""
