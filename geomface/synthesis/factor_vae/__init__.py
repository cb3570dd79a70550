"""Small VAEs of the factors of a population: identity, expression, light and pose."""
