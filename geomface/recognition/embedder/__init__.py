"""The identity embedder: its network, its file, and descriptors of faces and pictures by it."""
