"""What can `y90` be asked? One small module per group of commands.

These modules import nothing heavy until a command runs, so that help is instant.
"""
