"""Commands for many machines: what each runs, how they are asked for, and what a shared folder holds."""
