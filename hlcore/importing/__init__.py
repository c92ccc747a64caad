"""Runs made of maps that other code has computed: any per-pixel score, with images, labels and predictions."""
