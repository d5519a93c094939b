"""Metrics of tasks that are no choice of one class: masks of pictures, and vectors."""
