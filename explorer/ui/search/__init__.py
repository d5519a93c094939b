"""The Budget page: the best plan under a budget."""
