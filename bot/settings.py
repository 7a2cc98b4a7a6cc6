"""Every setting of the product, read from the environment and a `.env` file.

The names are the contract that docs/settings.md documents. A missing or wrong one raises `SettingsError`, whose
text is the one line that the operator reads.
"""

from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """A setting is missing or wrong; the text names it."""


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an http(s) address is needed")
    return value.rstrip("/")


def _postgresql_url(value: str) -> str:
    if not value.startswith(("postgresql://", "postgres://")):
        raise ValueError("a postgresql:// address is needed")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("no such time zone") from error
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]


class _Group(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )


G = TypeVar("G", bound=_Group)


class ZaloSettings(_Group):
    """One Official Account of one Zalo app (zalo.md §1, §2, §8)."""

    model_config = SettingsConfigDict(env_prefix="ZALO_")

    app_id: str
    app_secret: SecretStr
    oa_secret_key: SecretStr
    oa_id: str
    refresh_token: SecretStr | None = None
    oauth_url: HttpUrl = "https://oauth.zaloapp.com"
    openapi_url: HttpUrl = "https://openapi.zalo.me"
    business_url: HttpUrl = "https://business.openapi.zalo.me"
    rate_per_minute: int = Field(default=4000, gt=0)
    reply_window_hours: int = Field(default=168, gt=0)
    mac_with_oa_id: bool = False


class MessengerSettings(_Group):
    """One Page of one Meta app (messenger.md §1, §5, §7)."""

    model_config = SettingsConfigDict(env_prefix="MESSENGER_")

    app_secret: SecretStr
    verify_token: SecretStr
    page_id: str
    page_token: SecretStr
    app_id: str | None = None
    api_url: HttpUrl = "https://graph.facebook.com/v25.0"
    rate_per_second: int = Field(default=30, gt=0)
    reply_window_hours: int = Field(default=24, gt=0)


class Settings(_Group):
    """The settings of the product itself; a channel without settings is off (None)."""

    secret_key: SecretStr = Field(min_length=16)
    database_url: Annotated[str, AfterValidator(_postgresql_url)] | None = None
    data_dir: Path = Path(".data")
    public_url: HttpUrl = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    nlu_url: HttpUrl = "http://127.0.0.1:5005"
    billing_url: HttpUrl
    service_url: HttpUrl
    backend_token: SecretStr
    changes_secret: SecretStr | None = Field(default=None, min_length=16)
    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Ho_Chi_Minh"
    web_workers: int = Field(default=2, ge=1, le=64)
    workers: int = Field(default=2, ge=1, le=64)
    worker_concurrency: int = Field(default=10, ge=1, le=64)
    attachment_hosts: str = "zdn.vn,zadn.vn,fbcdn.net,fbsbx.com"
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    trolydien_now: AwareDatetime | None = None

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def paper_hosts(self) -> tuple[str, ...]:
        """Domains from which what customers send is fetched."""
        return tuple(host for part in self.attachment_hosts.split(",") if (host := part.strip().lower().strip(".")))

    @cached_property
    def zalo(self) -> ZaloSettings | None:
        return _channel(ZaloSettings)

    @cached_property
    def messenger(self) -> MessengerSettings | None:
        return _channel(MessengerSettings)

    @cached_property
    def sandbox(self) -> bool:
        """True when every system the product speaks to is on this machine: nobody real can be reached."""
        outside = [self.billing_url, self.service_url]
        if self.zalo:
            outside += [self.zalo.oauth_url, self.zalo.openapi_url, self.zalo.business_url]
        if self.messenger:
            outside += [self.messenger.api_url]
        return all(map(_is_loopback, outside))


def load_settings() -> Settings:
    """Read and check all settings. Raises SettingsError with one line naming the first setting that is wrong."""
    try:
        settings = Settings()
    except ValidationError as error:
        raise _as_settings_error(error, prefix="") from error
    _ = settings.zalo, settings.messenger
    if settings.trolydien_now and not settings.sandbox:
        raise SettingsError("TROLYDIEN_NOW: the test clock is refused unless every service address is on loopback")
    return settings


def _channel(group: type[G]) -> G | None:
    """The channel's settings, or None when not one of its required settings is given."""
    prefix = group.model_config.get("env_prefix", "")
    try:
        return group()
    except ValidationError as error:
        required = {name for name, field in group.model_fields.items() if field.is_required()}
        missing = {str(e["loc"][0]) for e in error.errors() if e["type"] == "missing"}
        if missing == required:
            return None
        raise _as_settings_error(error, prefix=prefix) from error


def _as_settings_error(error: ValidationError, *, prefix: str) -> SettingsError:
    first = error.errors()[0]
    name = f"{prefix}{first['loc'][0]}".upper()
    what = "is not set" if first["type"] == "missing" else str(first["msg"]).removeprefix("Value error, ")
    return SettingsError(f"{name}: {what} (see docs/settings.md)")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
