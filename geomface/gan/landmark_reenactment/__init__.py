"""One picture of a face follows landmarks, and can be fed back in without decay.

Sanchez, Valstar: Triple consistency loss for pairing distributions in GAN-based face synthesis,
2018.
"""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.gan.landmark_reenactment.conditions import condition_map as condition_map
    from geomface.gan.landmark_reenactment.conditions import contours as contours
    from geomface.gan.landmark_reenactment.conditions import heatmaps as heatmaps
    from geomface.gan.landmark_reenactment.crops import FaceCrop as FaceCrop
    from geomface.gan.landmark_reenactment.crops import crop_box as crop_box
    from geomface.gan.landmark_reenactment.crops import crop_face as crop_face
    from geomface.gan.landmark_reenactment.data import FaceFrames as FaceFrames
    from geomface.gan.landmark_reenactment.data import Frame as Frame
    from geomface.gan.landmark_reenactment.data import collect_frames as collect_frames
    from geomface.gan.landmark_reenactment.data import join_frames as join_frames
    from geomface.gan.landmark_reenactment.evaluation import Drift as Drift
    from geomface.gan.landmark_reenactment.evaluation import ReenactmentReport as ReenactmentReport
    from geomface.gan.landmark_reenactment.evaluation import (
        evaluate_reenactment as evaluate_reenactment,
    )
    from geomface.gan.landmark_reenactment.evaluation import measure_drift as measure_drift
    from geomface.gan.landmark_reenactment.locating import locate_in_crops as locate_in_crops
    from geomface.gan.landmark_reenactment.networks import Generator as Generator
    from geomface.gan.landmark_reenactment.networks import PatchDiscriminator as PatchDiscriminator
    from geomface.gan.landmark_reenactment.points import mirror_points as mirror_points
    from geomface.gan.landmark_reenactment.points import to_66 as to_66
    from geomface.gan.landmark_reenactment.points import to_68 as to_68
    from geomface.gan.landmark_reenactment.posed_face import PosedFace as PosedFace
    from geomface.gan.landmark_reenactment.posed_face import face_fitter as face_fitter
    from geomface.gan.landmark_reenactment.posed_face import follow as follow
    from geomface.gan.landmark_reenactment.posed_face import moved as moved
    from geomface.gan.landmark_reenactment.posed_face import named_expression as named_expression
    from geomface.gan.landmark_reenactment.posed_face import pose_face as pose_face
    from geomface.gan.landmark_reenactment.reading import ReadFrames as ReadFrames
    from geomface.gan.landmark_reenactment.reading import read_face_frames as read_face_frames
    from geomface.gan.landmark_reenactment.recipes import ARMS as ARMS
    from geomface.gan.landmark_reenactment.recipes import PRESETS as PRESETS
    from geomface.gan.landmark_reenactment.recipes import RECIPES as RECIPES
    from geomface.gan.landmark_reenactment.recipes import recipe as recipe
    from geomface.gan.landmark_reenactment.sampling import Reenactor as Reenactor
    from geomface.gan.landmark_reenactment.sampling import load_reenactor as load_reenactor
    from geomface.gan.landmark_reenactment.sampling import reenact as reenact
    from geomface.gan.landmark_reenactment.seen import CropEmbedder as CropEmbedder
    from geomface.gan.landmark_reenactment.settings import SYSTEM as SYSTEM
    from geomface.gan.landmark_reenactment.settings import LossWeights as LossWeights
    from geomface.gan.landmark_reenactment.settings import NetworkSettings as NetworkSettings
    from geomface.gan.landmark_reenactment.settings import (
        ReenactmentSettings as ReenactmentSettings,
    )
    from geomface.gan.landmark_reenactment.smoothing import smooth_track as smooth_track
    from geomface.gan.landmark_reenactment.star_networks import (
        StarDiscriminator as StarDiscriminator,
    )
    from geomface.gan.landmark_reenactment.star_networks import StarGenerator as StarGenerator
    from geomface.gan.landmark_reenactment.star_task import AttributeChange as AttributeChange
    from geomface.gan.landmark_reenactment.star_task import StarSettings as StarSettings
    from geomface.gan.landmark_reenactment.star_task import attribute_accuracy as attribute_accuracy
    from geomface.gan.landmark_reenactment.stills import vary_triplets as vary_triplets
    from geomface.gan.landmark_reenactment.task import LandmarkReenactment as LandmarkReenactment
    from geomface.gan.landmark_reenactment.track_reading import read_track as read_track
    from geomface.gan.landmark_reenactment.tracks import Track as Track
    from geomface.gan.landmark_reenactment.tracks import complete_track as complete_track
    from geomface.gan.landmark_reenactment.triplets import ReenactmentData as ReenactmentData
    from geomface.gan.landmark_reenactment.triplets import TripletSet as TripletSet
    from geomface.gan.landmark_reenactment.triplets import draw_triplets as draw_triplets
    from geomface.gan.landmark_reenactment.triplets import prepare_data as prepare_data
    from geomface.gan.landmark_reenactment.warps import look as look
    from geomface.gan.landmark_reenactment.warps import warp_field as warp_field
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
