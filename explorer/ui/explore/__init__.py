"""The Explore page: drag a threshold, watch the measured accuracy."""
