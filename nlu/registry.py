"""Registers our components with Rasa's recipe: the names that ``config.yml`` uses."""

from rasa.engine.recipes.default_recipe import DefaultV1Recipe

from nlu import components

_Type = DefaultV1Recipe.ComponentType

VietnameseNormaliser = DefaultV1Recipe.register(_Type.MESSAGE_FEATURIZER, is_trainable=False)(
    components.VietnameseNormaliser
)
GazetteerEntityExtractor = DefaultV1Recipe.register(_Type.ENTITY_EXTRACTOR, is_trainable=False)(
    components.GazetteerEntityExtractor
)
EntityJudge = DefaultV1Recipe.register(_Type.ENTITY_EXTRACTOR, is_trainable=True)(components.EntityJudge)
LinearIntentClassifier = DefaultV1Recipe.register(_Type.INTENT_CLASSIFIER, is_trainable=True)(
    components.LinearIntentClassifier
)
