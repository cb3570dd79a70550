"""The photo preset: what makes a render of a face look like a photograph."""
