"""What stands around the screens: the headers of every answer, who the visitors are, and what each may take."""
