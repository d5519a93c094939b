"""What every page shares: the frame, what is open, background work, caches."""
