# The public names. They are loaded when they are first used, so that `import terrasift` takes no time.
from .api import Run as Run
from .api import train as train
from .blocks.losses import weighted_cross_entropy as weighted_cross_entropy
from .blocks.refinement import refine as refine
from .blocks.superpixels import superpixels as superpixels
from .errors import InputError as InputError
from .errors import RunError as RunError
from .errors import SettingError as SettingError
from .errors import TerrasiftError as TerrasiftError
from .legend import LandClass as LandClass
from .legend import Legend as Legend
from .metrics import ConfusionMatrix as ConfusionMatrix
from .metrics import confusion_matrix as confusion_matrix
from .network import Network as Network
from .network import build_network as build_network
from .recipe import Recipe as Recipe
from .recipe import Scaling as Scaling
