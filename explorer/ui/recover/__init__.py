"""The Recover page: train what is left, and see what that is worth."""
