"""The 68 landmarks of faces in photographs: find the faces, then the points of each."""
