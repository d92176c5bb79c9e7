"""What searching and retraining share: seeding, checkpoints, records, progress."""
