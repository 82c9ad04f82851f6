"""Seven patients that several specs share."""

SEVEN = """
    | subject_id |
    | A          |
    | B          |
    | C          |
    | D          |
    | E          |
    | F          |
    | G          |
"""
T0 = """
    | subject_id | t0_date |
    | A          | d0      |
    | B          | d0      |
    | C          | d0      |
    | D          | d0      |
    | E          | d0      |
    | F          | d0      |
    | G          | d0      |
"""
