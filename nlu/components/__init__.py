"""Our components of the Rasa graph. They are registered with the recipe in :mod:`nlu.registry`.

Importing a component does not import the recipe, which would bring TensorFlow into the server.
"""

from nlu.components.classifier import LinearIntentClassifier
from nlu.components.extractor import GazetteerEntityExtractor
from nlu.components.judge import EntityJudge
from nlu.components.normaliser import VietnameseNormaliser

COMPONENTS = {
    component.__name__: component
    for component in (VietnameseNormaliser, GazetteerEntityExtractor, LinearIntentClassifier, EntityJudge)
}

__all__ = ["COMPONENTS", "EntityJudge", "GazetteerEntityExtractor", "LinearIntentClassifier", "VietnameseNormaliser"]
