"""What the benchmarks share: how they measure, and how they show and keep what they measured."""
