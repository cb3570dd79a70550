"""Mixup of identities, before pictures are drawn, and of domains, batch by batch."""
