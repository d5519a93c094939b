"""Work in pieces: how the parts of a scan or of a curve are handed to a back end, and how a worker does one."""
