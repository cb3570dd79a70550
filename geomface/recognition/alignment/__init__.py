"""One alignment for training and testing: five points of a face, brought to places of a picture."""
