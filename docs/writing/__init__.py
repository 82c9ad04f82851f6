"""The generated pages: each module makes one kind of page from the code."""
