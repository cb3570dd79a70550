"""The busiest stages as compiled kernels for the CPU, forward and backward.

Each has a twin in plain torch (the module of the same name one level up), which CUDA and second
derivatives use; tests hold the two against each other.
"""
