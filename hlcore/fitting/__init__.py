"""Learn a hardness branch for a trained network, which stays as it is."""
