"""The work of each command, imported by its name when the command runs: `run(args)` gives the exit status."""
