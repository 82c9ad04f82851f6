"""Every claim about speed, measured."""
