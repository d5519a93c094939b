"""Files of others: checked where they are opened, read in a process of their own, and what is left of them removed."""
