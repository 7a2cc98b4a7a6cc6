"""The settings of a demonstration: all on loopback, with secrets of its own, nothing of a real installation."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

DATABASE = "trolydien_demo"
PORT, NLU_PORT, SANDBOX_PORT = 8000, 5005, 8100
SECRETS = (
    "SECRET_KEY",
    "BACKEND_TOKEN",
    "ZALO_APP_SECRET",
    "ZALO_OA_SECRET_KEY",
    "MESSENGER_APP_SECRET",
    "MESSENGER_VERIFY_TOKEN",
    "MESSENGER_PAGE_TOKEN",
)
IDS = ("ZALO_APP_ID", "ZALO_OA_ID", "MESSENGER_PAGE_ID", "MESSENGER_APP_ID")


def demo_environment(data_dir: Path, given: Mapping[str, str]) -> dict[str, str]:
    """What the product and the sandbox are both given. From `given` come only ports (PORT, NLU_URL, SANDBOX_PORT).

    Secrets are made once and kept in `data_dir`/demo.env. The Zalo refresh token is new at each start, because the
    sandbox forgets its tokens when it ends, as the product does not.
    """
    port = given.get("PORT") or str(PORT)
    sandbox_port = given.get("SANDBOX_PORT") or str(SANDBOX_PORT)
    sandbox = f"http://127.0.0.1:{sandbox_port}"
    return {
        **_kept(data_dir / "demo.env"),
        "DATA_DIR": str(data_dir),
        "HOST": "127.0.0.1",
        "PORT": port,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SANDBOX_PORT": sandbox_port,
        "NLU_URL": given.get("NLU_URL") or f"http://127.0.0.1:{NLU_PORT}",
        "BILLING_URL": f"{sandbox}/billing",
        "SERVICE_URL": f"{sandbox}/service",
        "ZALO_REFRESH_TOKEN": secrets.token_urlsafe(32),
        "ZALO_OAUTH_URL": f"{sandbox}/zalo/oauth",
        "ZALO_OPENAPI_URL": f"{sandbox}/zalo/openapi",
        "ZALO_BUSINESS_URL": f"{sandbox}/zalo/business",
        "MESSENGER_API_URL": f"{sandbox}/messenger/v25.0",
    }


def _kept(file: Path) -> dict[str, str]:
    """The secrets in `file`; those that are not there yet are made and written."""
    lines = file.read_text().splitlines() if file.exists() else []
    kept = dict(line.split("=", 1) for line in lines if "=" in line)
    kept = {**_made(), **{name: value for name, value in kept.items() if value}}
    unfinished = file.with_suffix(".new")
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as content:
        content.writelines(f"{name}={value}\n" for name, value in kept.items())
    unfinished.replace(file)
    return kept


def _made() -> dict[str, str]:
    """Names as in docs/settings.md; ids are digits as on the platforms."""
    made = {name: secrets.token_hex(24) for name in SECRETS}
    return made | {name: str(10**17 + secrets.randbelow(9 * 10**17)) for name in IDS}
