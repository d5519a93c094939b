"""The Quantize page: pruning and number formats together."""
