"""Tests of the understanding run in its own environment (``make test`` runs both)."""

import importlib.util
import os
from pathlib import Path

import pytest

os.environ["RASA_TELEMETRY_ENABLED"] = "false"

if importlib.util.find_spec("rasa") is None:
    collect_ignore_glob = ["test_*.py"]

EXAMPLES = {
    "bill_lookup": [
        "tiền điện tháng này bao nhiêu",
        "cho bác hỏi hóa đơn tiền điện tháng trước hết mấy tiền",
        "tháng mười nhà tôi hết bao nhiêu tiền điện",
        "xem giúp tiền điện kỳ này",
        "hóa đơn tháng 9 nhà em bao nhiêu vậy",
        "tiền điện nhà cháu tháng này mấy trăm",
        "số tiền phải trả tháng này là bao nhiêu",
        "báo tiền điện tháng 5 cho tôi",
    ],
    "outage_report": [
        "nhà tôi mất điện rồi",
        "cả xóm cúp điện từ sáng tới giờ",
        "điện lực ơi khu tôi mất điện",
        "tự nhiên mất điện cả nhà",
        "nhà em không có điện ạ",
        "xóm 5 đang mất điện toàn bộ",
        "vừa bị cúp điện xong",
        "báo mất điện ở xã Bình Yên",
    ],
    "greet": [
        "xin chào",
        "chào bạn",
        "alo",
        "chào điện lực",
        "hello ad",
        "kính chào quý công ty",
        "chào em",
        "dạ chào",
    ],
    "human": [
        "cho tôi gặp nhân viên",
        "tôi muốn nói chuyện với người thật",
        "gặp tư vấn viên",
        "nối máy cho tôi với cán bộ",
        "không muốn nói chuyện với máy",
        "cho gặp người trực",
        "có nhân viên nào ở đó không",
        "cần gặp người của điện lực",
    ],
}


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small set of training data in Rasa's format."""
    folder = tmp_path_factory.mktemp("data")
    lines = ['version: "3.1"', "nlu:"]
    for intent, texts in EXAMPLES.items():
        lines += [f"- intent: {intent}", "  examples: |", *(f"    - {text}" for text in texts)]
    (folder / "small.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def model(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on the small set."""
    from nlu.train import train  # noqa: PLC0415 - only where Rasa is installed

    path, trained = train(tmp_path_factory.mktemp("models"), data_folder)
    assert trained
    return path
