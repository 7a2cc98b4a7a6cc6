"""Trains the understanding: ``python -m nlu.train [--out DIR]``.

The model file is named by a fingerprint of everything it is made from (data, configuration, lexica, code of the
components), so a model that exists already is not trained again. The result is a normal Rasa model archive; equal
input gives an equal model.
"""

import argparse
import hashlib
import os
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

from rasa.engine.caching import TrainingCache
from rasa.engine.graph import GraphModelConfiguration
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import MODEL_ARCHIVE_COMPONENTS_DIR, LocalModelStorage
from rasa.engine.storage.storage import ModelMetadata
from rasa.engine.training.graph_trainer import GraphTrainer
from rasa.shared.core.domain import Domain
from rasa.shared.importers.rasa import RasaFileImporter

from nlu import lexicon
from nlu.graph import model_configuration

PACKAGE = Path(__file__).resolve().parent
PROJECT = PACKAGE.parent
CONFIG = PACKAGE / "config.yml"
DOMAIN = PACKAGE / "domain.yml"
DATA = lexicon.DATA / "nlu"
MODELS = PROJECT / ".data" / "models"

_CODE = (
    "components/*.py",
    "entities/*.py",
    "text/*.py",
    "features.py",
    "linear.py",
    "learning.py",
    "noise.py",
    "requests.py",
    "graph.py",
)


class _NoCache(TrainingCache):  # type: ignore[misc]
    """Components are always trained afresh; whole models are what we keep."""

    def cache_output(self, *_args: Any, **_kwargs: Any) -> None:
        return None

    def get_cached_output_fingerprint(self, _fingerprint_key: str) -> str | None:
        return None

    def get_cached_result(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class _Storage(LocalModelStorage):  # type: ignore[misc]
    """Packs the model with little compression: Rasa's own packing takes a quarter of the whole training."""

    def create_model_package(
        self, model_archive_path: Path, model_configuration: GraphModelConfiguration, domain: Domain
    ) -> ModelMetadata:
        metadata = self._create_model_metadata(domain, model_configuration)
        with (
            tempfile.TemporaryDirectory() as folder,
            tarfile.open(model_archive_path, "w:gz", compresslevel=1) as package,
        ):
            self._persist_metadata(metadata, Path(folder))
            package.add(folder, arcname="")
            package.add(self._storage_path, arcname=MODEL_ARCHIVE_COMPONENTS_DIR)
        return metadata


def sources(data: Path, config: Path) -> list[Path]:
    """Every file that the model is made from."""
    code = [path for pattern in _CODE for path in sorted(PACKAGE.glob(pattern))]
    lexica = sorted(lexicon.LEXICON.glob("*.yml"))
    return [config, DOMAIN, lexicon.PLACES, *lexica, *code, *sorted(data.rglob("*.yml"))]


def fingerprint(data: Path, config: Path) -> str:
    """Twelve hex digits that change when any source of the model changes."""
    digest = hashlib.sha256()
    for path in sources(data, config):
        content = path.read_bytes()
        digest.update(f"{path.name}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def train(out: Path = MODELS, data: Path = DATA, config: Path = CONFIG) -> tuple[Path, bool]:
    """The path of the model of the given data and configuration, and whether it had to be trained."""
    model = out / f"nlu-{fingerprint(data, config)}.tar.gz"
    if model.exists():
        os.utime(model)
        return model, False
    out.mkdir(parents=True, exist_ok=True)
    importer = RasaFileImporter(str(config), str(DOMAIN), [str(data)])
    with tempfile.TemporaryDirectory() as storage, tempfile.TemporaryDirectory(dir=out) as unfinished:
        trainer = GraphTrainer(_Storage.create(Path(storage)), _NoCache(), DaskGraphRunner)
        archive = Path(unfinished) / model.name
        graph = model_configuration(importer.get_config())
        trainer.train(graph, importer, archive, force_retraining=True)
        archive.replace(model)
    return model, True


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="nlu.train", description="Train the understanding.")
    parser.add_argument("--out", type=Path, default=MODELS, help="folder of the models (default: .data/models)")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the training data (default: data/nlu)")
    parser.add_argument("--config", type=Path, default=CONFIG, help="pipeline (default: nlu/config.yml)")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    print(f"training data: {options.data}", flush=True)
    model, trained = train(options.out, options.data, options.config)
    print(f"{'trained' if trained else 'up to date'} in {time.monotonic() - started:.1f} s", flush=True)
    print(f"model: {model}", flush=True)


if __name__ == "__main__":
    main()
