"""The training of embedders from aligned pictures, synthetic or real or both."""
