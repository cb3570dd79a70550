"""Sets of aligned faces: pictures on disk as a network sees them, and who is in them."""
