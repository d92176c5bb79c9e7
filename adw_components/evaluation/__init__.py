"""Per-case, per-class metrics of predictions."""
