"""The Weights page: how each layer's weights are spread."""
