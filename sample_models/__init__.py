"""Weights of the bundled models, the manifest that describes them and the script that trained them."""
