"""`train landmark_reenactment` from the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from reenactment_cases import build_frames

from geomface.cli.main import main
from geomface.files.images import save_image
