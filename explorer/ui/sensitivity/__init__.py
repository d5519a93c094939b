"""The Sensitivity page: what each layer costs if it alone is pruned."""
