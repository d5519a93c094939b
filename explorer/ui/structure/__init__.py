"""The Structure page: which units are coupled, and why."""
