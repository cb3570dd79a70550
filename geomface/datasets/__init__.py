"""Where the files of a set lie, and one reader of each kind of set."""

from typing import TYPE_CHECKING

from geomface.lazy import attach

if TYPE_CHECKING:
    from geomface.datasets.geometry_images import GeometryImageSet as GeometryImageSet
    from geomface.datasets.geometry_images import load_geometry_images as load_geometry_images
    from geomface.datasets.image_set import ImageSet as ImageSet
    from geomface.datasets.image_set import split_set as split_set
    from geomface.datasets.label_table import load_label_table as load_label_table
    from geomface.datasets.label_table import save_label_table as save_label_table
    from geomface.datasets.labelled_faces import LabelledFaces as LabelledFaces
    from geomface.datasets.labelled_faces import check_labels as check_labels
    from geomface.datasets.labelled_faces import hide_labels as hide_labels
    from geomface.datasets.labelled_faces import split_faces as split_faces
    from geomface.datasets.labelled_folder import load_labelled_faces as load_labelled_faces
    from geomface.datasets.labelled_folder import save_labelled_faces as save_labelled_faces
    from geomface.datasets.labelled_pictures import FaceRecord as FaceRecord
    from geomface.datasets.labelled_pictures import SyntheticFaces as SyntheticFaces
    from geomface.datasets.labelled_pictures import load_synthetic as load_synthetic
    from geomface.datasets.photographs import Photograph as Photograph
    from geomface.datasets.photographs import load_photographs as load_photographs
    from geomface.datasets.registered_faces import RegisteredFaces as RegisteredFaces
    from geomface.datasets.registered_faces import load_registered_faces as load_registered_faces
    from geomface.datasets.registered_faces import load_registered_meshes as load_registered_meshes
    from geomface.datasets.scan_files import ScanFile as ScanFile
    from geomface.datasets.scan_files import find_scans as find_scans
    from geomface.datasets.textures import load_textures as load_textures
else:
    __getattr__, __dir__, __all__ = attach(__name__, __file__)
