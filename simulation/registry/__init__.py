"""An invented registry of many centres with declared answers: drawn, changed, written.

May be imported by flows, tests and benchmarks; it imports schemas and simulation alone.
"""
