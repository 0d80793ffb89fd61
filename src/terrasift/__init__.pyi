# The public names. They are loaded when they are first used, so that `import terrasift` takes no time.
__version__: str

from . import assess as assess
from .api import Run as Run
from .api import discover as discover
from .api import train as train
from .blocks.external import external_segmentation as external_segmentation
from .blocks.losses import continuity_loss as continuity_loss
from .blocks.losses import mumford_shah_loss as mumford_shah_loss
from .blocks.losses import weighted_cross_entropy as weighted_cross_entropy
from .blocks.refinement import refine as refine
from .blocks.superpixels import superpixels as superpixels
from .data.features import extract_features as extract_features
from .discovery import Discovery as Discovery
from .errors import InputError as InputError
from .errors import RunError as RunError
from .errors import SettingError as SettingError
from .errors import TerrasiftError as TerrasiftError
from .legend import LandClass as LandClass
from .legend import Legend as Legend
from .metrics import ConfusionMatrix as ConfusionMatrix
from .metrics import boundary_displacement_error as boundary_displacement_error
from .metrics import confusion_matrix as confusion_matrix
from .metrics import global_consistency_error as global_consistency_error
from .metrics import probabilistic_rand_index as probabilistic_rand_index
from .metrics import segmentation_covering as segmentation_covering
from .metrics import segmentation_scores as segmentation_scores
from .metrics import variation_of_information as variation_of_information
from .network import Network as Network
from .network import build_network as build_network
from .prediction import MapOptions as MapOptions
from .progress import listening as listening
from .progress import quiet as quiet
from .raster import ClassMap as ClassMap
from .recipe import Recipe as Recipe
from .recipe import Scaling as Scaling
