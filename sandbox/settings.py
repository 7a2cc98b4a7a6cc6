"""Settings of the sandbox: the product's own environment names, so that one environment serves both.

The defaults make `python -m sandbox` run alone; a product that talks to it must be given the same values.
"""

from pydantic import AwareDatetime, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SandboxSettings(BaseSettings):
    """One Official Account of one Zalo app, one Page of one Meta app, one utility company."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    host: str = "127.0.0.1"
    sandbox_port: int = Field(default=8100, ge=1, le=65535)
    public_url: str = "http://127.0.0.1:8000"
    """Address of the product: webhooks go to `/webhooks/zalo` and `/webhooks/messenger` under it."""

    zalo_app_id: str = "1111111111111111111"
    zalo_app_secret: str = Field(default="sandbox-zalo-app-secret")
    zalo_oa_secret_key: str = Field(default="sandbox-zalo-oa-secret")
    zalo_oa_id: str = "4444444444444444444"
    zalo_refresh_token: str = Field(default="sandbox-zalo-refresh-token")
    """The refresh token that stands for the consent given by hand (zalo.md §1.3, bootstrap)."""

    messenger_app_secret: str = Field(default="sandbox-messenger-app-secret")
    messenger_verify_token: str = Field(default="sandbox-messenger-verify-token")
    messenger_page_id: str = "555555555555555"
    messenger_page_token: str = Field(default="sandbox-messenger-page-token")
    messenger_app_id: str = "666666666666666"

    backend_token: str = Field(default="sandbox-backend-token")
    company_name: str = Field(default="PC Thái Nguyên", alias="SANDBOX_COMPANY_NAME")
    world_seed: int = Field(default=20, alias="SANDBOX_WORLD_SEED")
    trolydien_now: AwareDatetime | None = None

    @property
    def base_url(self) -> str:
        """Where the sandbox itself is reached; pictures that customers send live under it."""
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104
        return f"http://{host}:{self.sandbox_port}"
