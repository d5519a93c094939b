"""ONNX files that run: tried and compared with ONNX Runtime in a process of their own, then opened as a module."""
