"""The embedder: a network with its alignment, and descriptors of faces and pictures by it."""
