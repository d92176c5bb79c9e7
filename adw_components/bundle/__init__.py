"""What a bundle's configs check before any work."""
