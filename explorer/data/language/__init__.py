"""Texts: how they become the tokens that a model takes."""
