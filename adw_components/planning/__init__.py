"""From a dataset to its plan: the fingerprint, and nnU-Net's rules on it. No torch here."""
