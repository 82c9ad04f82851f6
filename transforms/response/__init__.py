"""How did the tumours respond? From measurements to best responses, one idea per file."""
