"""Work of commands that train from the beginning."""
