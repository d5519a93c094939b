"""What each command takes: its name, its help, its flags. Nothing heavy is imported, so that help comes at once."""
