"""The one batch engine: attempts, records, keys, lock, executors."""
