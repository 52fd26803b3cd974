"""Checkpoints: what files hold, where they are, and how they become a network."""
