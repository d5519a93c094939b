"""The flags of commands for many machines."""
