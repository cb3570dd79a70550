"""The sections of a report, each from what the collection holds; a section without content is
left out."""

import json
from collections.abc import Sequence

import numpy as np

from geomface.arrays import FloatArray
from geomface.faces.face_model import FaceModel
from geomface.mesh.io import load_image, load_mesh, read_json
from geomface.mesh.io.records import plain
from geomface.parametrization.checks import signed_areas
from geomface.pipeline import layout
from geomface.report.charts import bar_chart, cumulative_chart
from geomface.report.collection import Collection, ScanResult
from geomface.report.eyes import eyeballs_of
from geomface.report.figures import Gallery, masked_texture, uv_wireframe
from geomface.report.images import data_uri, heat_css, resize
from geomface.report.page import (
    Figure,
    Section,
    color_bar,
    details,
    grid,
    heading,
    paragraph,
    table,
    tiles,
)
from geomface.report.viewer import ViewerShape, viewer_html
from geomface.statistics import load_point_model

HEAT_UPPER_MM = 3.0
SIGMAS = (-3.0, 0.0, 3.0)
MODES = 4
