"""Reading what nobody vouches for, in a process of its own: how it is started, bounded, ended and believed.

Nothing heavy is imported here: the process begins with this package, and must be bound to its parent at once.
"""
