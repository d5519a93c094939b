"""The weights of a file brought to the names that a network has for them."""
