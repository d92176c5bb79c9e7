"""Bundles from one source: the values of a plan, the bodies in bundles/common, the documents. No torch here."""
