"""Which channels are coupled, and why."""
