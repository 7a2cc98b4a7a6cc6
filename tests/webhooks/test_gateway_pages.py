"""Health, readiness and figures of the gateway, and what an unknown address gets."""

from gateway import Gateway, captured


def test_alive_and_ready(gateway: Gateway) -> None:
    assert (gateway.client.get("/healthz").status_code, gateway.client.get("/readyz").status_code) == (200, 200)


def test_alive_but_not_ready_without_its_tables(gateway: Gateway) -> None:
    with gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE inbound_event RENAME TO elsewhere")
    try:
        assert (gateway.client.get("/healthz").status_code, gateway.client.get("/readyz").status_code) == (200, 503)
    finally:
        with gateway.database.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO inbound_event")


def test_figures_name_no_person_and_no_text(gateway: Gateway) -> None:
    gateway.zalo(captured("zalo", "user_send_text"))
    gateway.zalo(captured("zalo", "user_submit_info"))
    figures = gateway.client.get("/metrics").text
    assert 'webhook_events_total{channel="zalo",event="text"}' in figures
    assert not [secret for secret in ("2222222222222222222", "Hoa", "84912345678", "Tra cứu") if secret in figures]


def test_what_is_not_there_is_404(gateway: Gateway) -> None:
    for path in ("/", "/webhooks", "/webhooks/other", "/media/", "/.env"):
        assert gateway.client.get(path).status_code == 404
