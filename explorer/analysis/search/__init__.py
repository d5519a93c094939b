"""The best plan under a budget."""
