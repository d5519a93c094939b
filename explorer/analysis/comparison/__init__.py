"""Methods compared fairly: controls, seeds, protocols, verdicts."""
