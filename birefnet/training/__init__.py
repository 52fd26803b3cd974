"""Training: generated scenes, and later the loop that learns from them."""
