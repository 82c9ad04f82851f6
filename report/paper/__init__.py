"""What a manuscript takes from a release: figures for print, Word tables, text, numbers.

Imports report's figures, tables and drawing, analytics and schemas; the command y90 paper imports
it.
"""
