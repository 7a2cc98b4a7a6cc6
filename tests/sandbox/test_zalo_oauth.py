"""zalo.md §1: consent, PKCE, rotation, and tokens in the header only."""

import threading
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sandbox_remote import NOON, Remote
from webhook_receiver import Receiver

from sandbox.server import running_sandbox
from sandbox.settings import SandboxSettings
from sandbox.zalo.oauth import code_challenge

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
HOUR = 3600


def exchange(remote: Remote, secret: str | None = None, **form: str) -> dict[str, str]:
    settings = remote.sandbox.settings
    answer = requests.post(
        f"{remote.base}/zalo/oauth/v4/oa/access_token",
        data={"app_id": settings.zalo_app_id} | form,
        headers={"secret_key": secret or settings.zalo_app_secret},
        timeout=10,
    )
    assert answer.status_code == 200
    result: dict[str, str] = answer.json()
    return result


def refresh(remote: Remote, token: str, **beside: str) -> dict[str, str]:
    return exchange(remote, grant_type="refresh_token", refresh_token=token, **beside)


def bootstrap(remote: Remote) -> dict[str, str]:
    return refresh(remote, remote.sandbox.settings.zalo_refresh_token)


def call(remote: Remote, token: str | None) -> int:
    headers = {"access_token": token} if token else {}
    return int(requests.get(f"{remote.base}/zalo/openapi/v2.0/oa/getoa", headers=headers, timeout=10).json()["error"])


def consent(remote: Remote, receiver: Receiver, challenge: str) -> dict[str, list[str]]:
    answer = requests.post(
        f"{remote.base}/zalo/oauth/v4/oa/permission",
        params={
            "app_id": remote.sandbox.settings.zalo_app_id,
            "redirect_uri": f"{receiver.url}/zalo/callback",
            "code_challenge": challenge,
            "state": "s1",
        },
        allow_redirects=False,
        timeout=10,
    )
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def test_the_challenge_is_that_of_rfc_7636() -> None:
    assert code_challenge(VERIFIER) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_bootstrap_token_gives_a_pair_whose_expiry_is_a_string(remote: Remote) -> None:
    pair = bootstrap(remote)
    assert pair["expires_in"] == "90000"
    assert call(remote, pair["access_token"]) == 0


def test_a_refresh_token_works_once(remote: Remote) -> None:
    first = bootstrap(remote)
    second = refresh(remote, first["refresh_token"])
    assert "access_token" in second
    assert refresh(remote, first["refresh_token"])["error"] == -14014
    assert bootstrap(remote)["error"] == -14014
    assert "access_token" in refresh(remote, second["refresh_token"])


def test_one_of_two_racing_refreshes_wins(remote: Remote) -> None:
    token, answers = bootstrap(remote)["refresh_token"], []
    threads = [threading.Thread(target=lambda: answers.append(refresh(remote, token))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted("access_token" in a for a in answers) == [False, False, False, True]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"app_id": "2"}, -14002),
        ({"secret": "wrong"}, -14004),
        ({"refresh_token": "never issued"}, -14014),
        ({"refresh_token": "x.é"}, -14014),
        ({"grant_type": "password"}, -14001),
    ],
)
def test_a_wrong_exchange_is_refused_with_status_200(shared: Remote, form: dict[str, str], error: int) -> None:
    answer = exchange(shared, **({"grant_type": "refresh_token", "refresh_token": "r"} | form))
    assert answer["error"] == error
    assert "access_token" not in answer


def test_consent_gives_a_code_that_only_its_verifier_opens(remote: Remote, receiver: Receiver) -> None:
    answer = consent(remote, receiver, code_challenge(VERIFIER))
    assert answer["state"] == ["s1"]
    assert answer["oa_id"] == [remote.sandbox.settings.zalo_oa_id]
    code = answer["code"][0]
    assert "access_token" in exchange(remote, grant_type="authorization_code", code=code, code_verifier=VERIFIER)
    assert exchange(remote, grant_type="authorization_code", code=code, code_verifier=VERIFIER)["error"] == -14010


def test_a_wrong_verifier_and_an_old_code_are_refused(remote: Remote, receiver: Receiver) -> None:
    code = consent(remote, receiver, code_challenge(VERIFIER))["code"][0]
    assert exchange(remote, grant_type="authorization_code", code=code, code_verifier="other")["error"] == -14012
    code = consent(remote, receiver, code_challenge(VERIFIER))["code"][0]
    remote.control("zalo/clock", advance_seconds=601)
    assert exchange(remote, grant_type="authorization_code", code=code, code_verifier=VERIFIER)["error"] == -14010


def test_the_token_counts_only_in_the_header(remote: Remote) -> None:
    token = bootstrap(remote)["access_token"]
    by_query = requests.get(f"{remote.base}/zalo/openapi/v2.0/oa/getoa?access_token={token}", timeout=10)
    assert by_query.json()["error"] == -216
    assert call(remote, None) == -216
    assert call(remote, "forged.token") == -216


def test_a_token_dies_after_25_hours_or_when_removed(remote: Remote) -> None:
    token = bootstrap(remote)["access_token"]
    remote.control("zalo/clock", advance_seconds=25 * HOUR)
    assert call(remote, token) == 0
    remote.control("zalo/clock", advance_seconds=1)
    assert call(remote, token) == -220
    fresh = remote.control("zalo/token")
    remote.control("zalo/token", remove=["access"])
    assert call(remote, fresh["access_token"]) == -220
    assert "access_token" in refresh(remote, fresh["refresh_token"])


def test_a_removed_grant_needs_consent_again(remote: Remote) -> None:
    pair = bootstrap(remote)
    remote.control("zalo/token", remove=["access", "refresh"])
    assert refresh(remote, pair["refresh_token"])["error"] == -14014
    assert bootstrap(remote)["error"] == -14014
    remote.control("zalo/token", restore=True)
    assert "access_token" in bootstrap(remote)


def test_a_refresh_can_end_the_old_access_token(remote: Remote) -> None:
    first = bootstrap(remote)
    remote.control("zalo/options", keep_old_access_token=False)
    second = refresh(remote, first["refresh_token"])
    assert call(remote, first["access_token"]) == -220
    assert call(remote, second["access_token"]) == 0


def test_tokens_survive_a_restart_of_the_sandbox(settings: SandboxSettings) -> None:
    with running_sandbox(settings, now=lambda: NOON) as sandbox:
        pair = bootstrap(Remote(sandbox, settings.base_url))
    with running_sandbox(settings, now=lambda: NOON) as sandbox:
        again = Remote(sandbox, settings.base_url)
        assert call(again, pair["access_token"]) == 0
        assert "access_token" in refresh(again, pair["refresh_token"])


def test_the_answer_of_a_refresh_can_get_lost(remote: Remote) -> None:
    remote.control("zalo/faults", call="oauth", kind="accept_then_hang", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{remote.base}/zalo/oauth/v4/oa/access_token",
            data={
                "app_id": remote.sandbox.settings.zalo_app_id,
                "grant_type": "refresh_token",
                "refresh_token": remote.sandbox.settings.zalo_refresh_token,
            },
            headers={"secret_key": remote.sandbox.settings.zalo_app_secret},
            timeout=0.3,
        )
    assert bootstrap(remote)["error"] == -14014
