"""The Rasa graph of a configuration whose pipeline holds only our components.

Rasa's own recipe builds the same nodes plus validators and a handler for ``/intent`` commands, and imports every
built-in component (TensorFlow, over ten seconds and half a gigabyte) to do so. Ours has just what is needed, and a
customer who types ``/human{"phone": …}`` is understood like any other text.
"""

from typing import Any

from rasa.engine.constants import PLACEHOLDER_IMPORTER, PLACEHOLDER_MESSAGE
from rasa.engine.graph import GraphModelConfiguration, GraphSchema, SchemaNode
from rasa.engine.storage.resource import Resource
from rasa.graph_components.converters.nlu_message_converter import NLUMessageConverter
from rasa.graph_components.providers.nlu_training_data_provider import NLUTrainingDataProvider
from rasa.shared.data import TrainingType

from nlu.components import COMPONENTS


def model_configuration(config: dict[str, Any]) -> GraphModelConfiguration:
    """Training and prediction graphs of a parsed ``config.yml``.

    Raises:
        KeyError: when the pipeline names a component that is not ours.
    """
    training: dict[str, SchemaNode] = {
        "nlu_training_data_provider": SchemaNode(
            needs={"importer": PLACEHOLDER_IMPORTER},
            uses=NLUTrainingDataProvider,
            constructor_name="create",
            fn="provide",
            config={"language": config.get("language"), "persist": False},
            is_input=True,
        )
    }
    prediction: dict[str, SchemaNode] = {
        "nlu_message_converter": SchemaNode(
            needs={"messages": PLACEHOLDER_MESSAGE},
            uses=NLUMessageConverter,
            constructor_name="load",
            fn="convert_user_message",
            config={},
            eager=True,
        )
    }
    last = "nlu_message_converter"
    for position, item in enumerate(config["pipeline"]):
        settings = {key: value for key, value in item.items() if key != "name"}
        component = COMPONENTS[item["name"].rpartition(".")[2]]
        name = f"{component.__name__}{position}"
        resource = None
        if hasattr(component, "train"):
            training[f"train_{name}"] = SchemaNode(
                needs={"training_data": "nlu_training_data_provider"},
                uses=component,
                constructor_name="create",
                fn="train",
                config=settings,
                is_target=True,
            )
            resource = Resource(f"train_{name}")
        prediction[f"run_{name}"] = SchemaNode(
            needs={"messages": last},
            uses=component,
            constructor_name="load",
            fn="process",
            config=settings,
            eager=True,
            resource=resource,
        )
        last = f"run_{name}"
    return GraphModelConfiguration(
        train_schema=GraphSchema(training),
        predict_schema=GraphSchema(prediction),
        training_type=TrainingType.NLU,
        assistant_id=config.get("assistant_id"),
        language=config.get("language"),
        spaces=None,
        core_target=None,
        nlu_target=last,
    )
