"""Reading a dataset: the MSD folder, its folds, and the check before any long work."""
