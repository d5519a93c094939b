"""What each layer costs when it alone is pruned."""
