"""The network: encoders, decoder, and the architecture that describes them."""
