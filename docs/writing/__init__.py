"""What do the generated pages say? Each module makes one kind of page from the code."""
