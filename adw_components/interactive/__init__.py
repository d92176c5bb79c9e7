"""Click guidance for annotation: clicks to channels, simulated clicks for training, Dice by number of clicks."""
