"""Every process of a disturbed command begins here, workers included: it does what FAULT names."""

import os

if os.environ.get("GEOMFACE_FAULT"):
    import fault_injection

    fault_injection.begin()
