"""From registry tables to marts: pure Ibis, one derivation per table."""
