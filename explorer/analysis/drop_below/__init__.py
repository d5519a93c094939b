"""Is a drop below a limit? Answered while the samples come in."""
