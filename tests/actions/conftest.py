from pathlib import Path

import pytest
from fixtures.outside import CODE, OTHER_CODE, invoice
from fixtures.stage import ENVIRONMENT, Stage, set_stage

from bot.settings import load_settings
from bot.store.database import Database


@pytest.fixture
def stage(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    """Two customers of the company, and a chat that has linked neither."""
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    stage = set_stage(database, load_settings())
    month = stage.clock().date().replace(day=1)
    stage.billing.bills = {CODE: [invoice(CODE, month)], OTHER_CODE: [invoice(OTHER_CODE, month, total=777_000)]}
    for text, intent in {
        "tiền điện": "bill_lookup",
        "liên kết": "link_account",
        "đồng ý": "affirm",
        "không": "deny",
        "thanh toán": "pay_bill",
        "hủy liên kết": "unlink_account",
    }.items():
        stage.nlu.teach(text, intent)
    for code in (CODE, OTHER_CODE, "PA04GT9999999"):
        stage.nlu.teach(code, "inform", customer_code=code)
    return stage
