"""CDISC's ways to write a release: ADaM, Define-XML, Dataset-JSON, and results as `cards` has them.

One declaration of the datasets (`datasets`) makes all of them.
"""
