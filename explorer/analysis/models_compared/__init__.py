"""Several models on the same samples: what each is worth, how they differ, where they part and come from."""
