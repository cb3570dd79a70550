"""Commands of the learned systems: one module a system, used by train, sample and evaluate."""
