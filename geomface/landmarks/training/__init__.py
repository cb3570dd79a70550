"""How the landmark network is trained: simulated scans, labelled views, the steps."""
