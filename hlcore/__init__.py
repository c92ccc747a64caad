"""Train, run and measure semantic-segmentation networks with a learned hardness map."""
