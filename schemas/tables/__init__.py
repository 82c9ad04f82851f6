"""The contracts: one class a table, one declaration a column. Imports nothing above schemas."""
