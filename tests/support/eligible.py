"""Patients and sessions that the specs of eligibility share."""

import functools
from collections.abc import Callable
from functools import wraps
from typing import Any

import ibis.expr.types as ir

from transforms.baseline.eligibility import eligibility

T0 = """
    | subject_id | t0_date |
    | A          | d0      |
    | B          | d0      |
    | C          | d0      |
    | D          | d0      |
    | E          | d0      |
"""
FIVE = """
    | subject_id |
    | A          |
    | B          |
    | C          |
    | D          |
    | E          |
"""
SESSIONS = """
    | subject_id | session_number | session_id | session_date | course |
    | A          | 1              | s1         | d0           | 1      |
    | A          | 2              | s2         | d35          | 1      |
    | B          | 1              | s1         | d0           | 1      |
    | C          | 1              | s1         | d0           | 1      |
    | D          | 1              | s1         | d0           | 1      |
    | E          | 1              | s1         | d0           | 1      |
    | E          | 2              | s2         | d200         | 2      |
"""


@functools.cache
def only(rule_id: str) -> Callable[..., ir.Table]:
    """One rule of the derivation, so that its table shows what the test is about."""

    @wraps(eligibility)
    def asked(**tables: Any) -> ir.Table:
        answers = eligibility(**tables)
        return answers.filter(answers.rule_id == rule_id)

    return asked
