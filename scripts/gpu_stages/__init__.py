"""The stages of the run on a GPU: smoke tests, benchmarks, a campaign."""
