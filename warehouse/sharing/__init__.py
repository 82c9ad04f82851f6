"""Write what may leave the house: bundles, public tables, ADaM. Imports releases and account."""
