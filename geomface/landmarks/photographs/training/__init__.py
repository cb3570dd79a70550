"""How the detector for photographs is trained on synthetic faces."""
