"""The Trade-off page: methods compared at rising compression."""
