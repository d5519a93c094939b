"""Reads the weights out of files that torch opens only by running their code: nothing is imported or called.

The instructions of a pickle are followed, and wherever one names a class or a function there is an empty stand-in.
"""
