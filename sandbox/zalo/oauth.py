"""OAuth v4 of an Official Account: consent page, code with PKCE, rotating refresh tokens (zalo.md §1).

Tokens carry their own time and a signature, so those handed out before a restart of the sandbox stay good after it.
What is remembered in memory is which refresh tokens are spent and which tokens were revoked.
"""

import base64
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, redirect, render_template_string, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox.zalo.errors import ZaloError
from sandbox.zalo.state import ZaloState

ACCESS_LIFE = timedelta(seconds=90_000)
REFRESH_LIFE = timedelta(days=90)
CODE_LIFE = timedelta(minutes=10)

TokenKind = Literal["access", "refresh"]

OAUTH_ERRORS = {
    -14001: "Invalid request",
    -14002: "Invalid app id",
    -14003: "Invalid redirect uri",
    -14004: "Invalid app secret key",
    -14010: "Invalid authorization code",
    -14012: "Invalid code verifier",
    -14014: "Invalid refresh token",
}
"""-14002, -14003 and -14014 are known (zalo.md §1.4); the others stand for codes that no source gives."""

CONSENT_PAGE = """<!doctype html><html lang="vi"><meta charset="utf-8"><title>Cấp quyền cho ứng dụng</title>
<body style="font-family:sans-serif;max-width:26rem;margin:4rem auto;text-align:center">
<h1 style="color:#0068ff">Zalo</h1>
<p>Ứng dụng <b>{{ app_id }}</b> xin quyền gửi tin và quản lý thông tin của Official Account <b>{{ name }}</b>.</p>
<form method="post"><button style="background:#0068ff;color:#fff;border:0;border-radius:.5rem;padding:.8rem 2rem"
>Cho phép</button></form></body></html>"""


@dataclass(frozen=True)
class _Code:
    challenge: str | None
    at: datetime


class TokenOffice:
    """Issues and checks tokens. `revoke` and `expire` are what the OA's admin or time would do."""

    def __init__(self, state: ZaloState) -> None:
        self._state = state
        self._key = state.settings.zalo_app_secret.encode()
        self._codes: dict[str, _Code] = {}
        self._spent: set[str] = set()
        self._removed: dict[TokenKind, datetime] = {}
        self._dead_access: set[str] = set()
        self._latest_access: str | None = None
        self.refreshes = 0

    def new_code(self, challenge: str | None) -> str:
        code = secrets.token_urlsafe(32)
        with self._state.lock:
            self._codes[code] = _Code(challenge, self._state.clock.now())
        return code

    def by_code(self, code: str, verifier: str | None) -> dict[str, str]:
        with self._state.lock:
            known = self._codes.pop(code, None)
            if known is None or self._state.clock.now() - known.at > CODE_LIFE:
                raise ZaloError(-14010, OAUTH_ERRORS[-14010])
            if known.challenge and known.challenge != code_challenge(verifier or ""):
                raise ZaloError(-14012, OAUTH_ERRORS[-14012])
            return self._new_pair()

    def by_refresh_token(self, token: str) -> dict[str, str]:
        with self._state.lock:
            if token in self._spent or not self._is_live_refresh_token(token):
                raise ZaloError(-14014, OAUTH_ERRORS[-14014])
            self._spent.add(token)
            if not self._state.options.keep_old_access_token and self._latest_access:
                self._dead_access.add(self._latest_access)
            self.refreshes += 1
            return self._new_pair()

    def check_access(self, token: str | None) -> None:
        """Raises ZaloError -216 for a token that was never ours, -220 for one expired or removed."""
        issued = self._issued(token, "access") if token else None
        if token is None or issued is None:
            raise ZaloError(-216)
        removed = self._removed.get("access")
        if token in self._dead_access or (removed and issued <= removed):
            raise ZaloError(-220)
        if self._state.clock.now() - issued > ACCESS_LIFE:
            raise ZaloError(-220)

    def remove(self, *kinds: TokenKind) -> None:
        """Make all tokens of these kinds that exist now invalid."""
        with self._state.lock:
            for kind in kinds:
                self._removed[kind] = self._state.clock.now()
                if kind == "refresh":
                    self._spent.add(self._state.settings.zalo_refresh_token)

    def restore_bootstrap(self) -> None:
        """An admin consented again: the bootstrap refresh token is good once more."""
        with self._state.lock:
            self._spent.discard(self._state.settings.zalo_refresh_token)

    def new_pair(self) -> dict[str, str]:
        with self._state.lock:
            return self._new_pair()

    def _is_live_refresh_token(self, token: str) -> bool:
        if token == self._state.settings.zalo_refresh_token:
            return True
        issued = self._issued(token, "refresh")
        if issued is None or self._state.clock.now() - issued > REFRESH_LIFE:
            return False
        removed = self._removed.get("refresh")
        return not (removed and issued <= removed)

    def _new_pair(self) -> dict[str, str]:
        self._latest_access = self._sign("access")
        return {
            "access_token": self._latest_access,
            "refresh_token": self._sign("refresh"),
            "expires_in": str(int(ACCESS_LIFE.total_seconds())),
        }

    def _sign(self, kind: TokenKind) -> str:
        claims = {"k": kind, "t": self._state.clock.now().timestamp(), "r": secrets.token_hex(6)}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return f"{body}.{self._signature(body)}"

    def _issued(self, token: str, kind: TokenKind) -> datetime | None:
        body, _, signature = token.partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(body).encode()):
            return None
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
        return datetime.fromtimestamp(claims["t"], UTC) if claims["k"] == kind else None

    def _signature(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), sha256).hexdigest()


def code_challenge(verifier: str) -> str:
    """base64url without padding of SHA-256 of the ASCII verifier (zalo.md §1.1)."""
    digest = sha256(verifier.encode("ascii", "replace")).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def oauth_blueprint(state: ZaloState, office: TokenOffice) -> Blueprint:
    """`/v4/oa/permission` and `/v4/oa/access_token`."""
    pages = Blueprint("zalo_oauth", __name__)
    settings = state.settings

    @pages.route("/v4/oa/permission", methods=["GET", "POST"])
    def permission() -> AnyResponse | str | tuple[str, int]:
        if request.args.get("app_id") != settings.zalo_app_id:
            return _refused(-14002)
        callback = request.args.get("redirect_uri", "")
        if not callback.startswith(settings.public_url.rstrip("/") + "/"):
            return _refused(-14003)
        if request.method == "GET":
            return render_template_string(CONSENT_PAGE, app_id=settings.zalo_app_id, name=settings.company_name)
        answer = {"code": office.new_code(request.args.get("code_challenge")), "oa_id": settings.zalo_oa_id}
        if given := request.args.get("state"):
            answer["state"] = given
        return redirect(f"{callback}{'&' if '?' in callback else '?'}{urlencode(answer)}")

    @pages.post("/v4/oa/access_token")
    def access_token() -> Response:
        return state.faults.apply("oauth", exchange, lambda fault: _refused(fault.code, fault.message))

    def exchange() -> Response:
        if request.form.get("app_id") != settings.zalo_app_id:
            return _refused(-14002)
        if not hmac.compare_digest(request.headers.get("secret_key", "").encode(), settings.zalo_app_secret.encode()):
            return _refused(-14004)
        try:
            match request.form.get("grant_type"):
                case "authorization_code":
                    return jsonify(office.by_code(request.form.get("code", ""), request.form.get("code_verifier")))
                case "refresh_token":
                    return jsonify(office.by_refresh_token(request.form.get("refresh_token", "")))
        except ZaloError as error:
            return _refused(error.code)
        return _refused(-14001)

    return pages


def _refused(code: int, description: str | None = None) -> Response:
    name = OAUTH_ERRORS.get(code, "Error")
    return jsonify(
        {"error": code, "error_name": name, "error_description": description or name, "error_reason": "", "ref_doc": ""}
    )
