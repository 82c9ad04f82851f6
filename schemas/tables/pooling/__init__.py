"""Tables of bundles for pooling, and of what is pooled. Imported by bundles, pooling and report."""

from schemas.contract import Contract, declared
from schemas.tables.pooling.bundle import Bundled
from schemas.tables.pooling.pooled import METHODS, Pooled

__all__ = ["BUNDLE", "METHODS", "POOLED", "Bundled", "Pooled"]

BUNDLE: tuple[type[Contract], ...] = declared("bundle", Contract)
POOLED: tuple[type[Contract], ...] = declared("pooled", Contract)
