"""Read one kind of file: archives, delimited text, workbooks. Imported by intake alone."""
