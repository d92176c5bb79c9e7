"""Generated cases: what resembles the MSD's tasks, and datasets that are nobody's task. No torch here."""
