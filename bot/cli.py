"""The command `trolydien`. Each command imports what it needs itself, so that all of them start at once."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.launch import (
    answers,
    count_together,
    ensure_nlu_port_free,
    migrate_store,
    nlu_child,
    open_store,
    python,
    say,
    start_product,
    start_training,
    training,
)
from bot.processes import PORT_PATIENCE_SECONDS, CannotStart, Child, Supervisor, ensure_free, only_one
from bot.settings import HttpUrl, SettingsError, load_settings

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store.database import Database

WORKER_NICENESS = 5
"""Workers yield to the gateway: a platform waits for the acknowledgement, a customer for the answer gladly after it."""
ONE_AT_A_TIME = "a run or demo of this data folder"

app = typer.Typer(
    name="trolydien",
    help="Trợ lý Điện: the assistant of an electricity company on Zalo and Messenger.",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)

nlu_review = typer.Typer(help="Teach the understanding what reviewers have said in the console.", no_args_is_help=True)
app.add_typer(nlu_review, name="nlu-review")


class _Place(BaseSettings):
    """The few settings of commands that must work without all others."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")

    data_dir: Path = Path(".data")
    nlu_url: HttpUrl = "http://127.0.0.1:5005"


def main() -> None:
    """Errors that an operator can mend are one line: a wrong setting ends with 2, all else with 1."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    try:
        app()
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except CannotStart as error:
        print(error, file=sys.stderr)
        sys.exit(1)


@app.command()
def demo() -> None:
    """Everything on this machine's loopback, with emulators of Zalo, Messenger and the utility's systems."""
    from bot.demo import DATABASE, demo_environment  # noqa: PLC0415

    began = time.monotonic()
    data_dir = _place().data_dir.absolute()
    with only_one(data_dir / "run.lock", ONE_AT_A_TIME) as killed:
        os.environ.update(demo_environment(data_dir, os.environ))
        settings = load_settings()
        port = os.environ["SANDBOX_PORT"]
        patience = PORT_PATIENCE_SECONDS if killed else 0.0
        ensure_free("127.0.0.1", int(port), "SANDBOX_PORT", patience=patience)
        ensure_free(settings.host, settings.port, "PORT", patience=patience)
        ensure_nlu_port_free(settings.nlu_url, patience=patience)
        sandbox_child = Child(
            "sandbox",
            python("-m", "sandbox", "--port", port),
            ready=lambda: answers(f"http://127.0.0.1:{port}/healthz"),
            serves_others=True,
            essential=True,
        )
        with Supervisor(os.environ, say, logs=data_dir / "logs") as supervisor:
            supervisor.start(sandbox_child)
            trained = start_training(supervisor, data_dir)
            start_product(supervisor, settings, open_store(None, data_dir, DATABASE))
            trained()
            supervisor.start(nlu_child(settings.nlu_url, data_dir))
            supervisor.wait_ready()
            _print_addresses(settings, f"http://127.0.0.1:{port}", time.monotonic() - began)
            _print_demo_staff(settings, data_dir)
            supervisor.watch()


@app.command()
def run() -> None:
    """All processes of the product on this machine. An understanding that answers at NLU_URL is used as it is."""
    settings = load_settings()
    data_dir = settings.data_dir.absolute()
    with only_one(data_dir / "run.lock", ONE_AT_A_TIME) as killed:
        patience = PORT_PATIENCE_SECONDS if killed else 0.0
        ensure_free(settings.host, settings.port, "PORT", patience=patience)
        own_nlu = not answers(f"{settings.nlu_url}/")
        if own_nlu:
            ensure_nlu_port_free(settings.nlu_url, patience=patience)
        with Supervisor(os.environ, say) as supervisor:
            trained = start_training(supervisor, data_dir) if own_nlu else None
            start_product(supervisor, settings, open_store(settings.database_url, data_dir))
            if trained:
                trained()
                supervisor.start(nlu_child(settings.nlu_url, data_dir))
            supervisor.wait_ready()
            say(f"the gateway listens on http://{settings.host}:{settings.port}; Ctrl-C stops everything")
            supervisor.watch()


@app.command()
def serve() -> None:
    """The gateway: webhooks, health and figures."""
    settings = load_settings()
    ensure_free(settings.host, settings.port, "PORT")
    url = open_store(settings.database_url, settings.data_dir)
    count_together(settings.data_dir)
    from bot.web import serve as serve_gateway  # noqa: PLC0415

    serve_gateway(settings, url)


@app.command()
def worker() -> None:
    """Works through the queue: understands, answers, delivers."""
    settings = load_settings()
    url = open_store(settings.database_url, settings.data_dir)
    count_together(settings.data_dir)
    os.nice(WORKER_NICENESS)
    from bot.jobs import run_worker  # noqa: PLC0415

    run_worker(settings, url)


@app.command()
def notifier() -> None:
    """The clock: says what is due, and leaves the work to the workers."""
    settings = load_settings()
    url = open_store(settings.database_url, settings.data_dir)
    count_together(settings.data_dir)
    from notifier.clock import run_notifier  # noqa: PLC0415

    run_notifier(settings, url)


@app.command()
def nlu() -> None:
    """The understanding (Rasa), at the host and port of NLU_URL."""
    place = _place()
    child = nlu_child(place.nlu_url, place.data_dir.absolute())
    ensure_nlu_port_free(place.nlu_url)
    os.execve(child.command[0], list(child.command), {**os.environ, **child.env})  # noqa: S606


@app.command()
def train() -> None:
    """Train the understanding, unless a model of the present data is there already."""
    command, environment = training(_place().data_dir.absolute())
    os.execve(command[0], command, environment)  # noqa: S606


@app.command()
def migrate(
    down: Annotated[bool, typer.Option("--down", help="Go back by one revision instead.")] = False,
) -> None:
    """Bring the database's schema up to date."""
    settings = load_settings()
    url = open_store(settings.database_url, settings.data_dir)
    migrate_store(url, down=down)
    say("the database is one revision back" if down else "the database is up to date")


@app.command()
def doctor() -> None:
    """Check settings, database, understanding, backends and channels: a line each, exit code 1 on a problem."""
    settings = load_settings()
    url = open_store(settings.database_url, settings.data_dir)
    from bot.doctor import examine  # noqa: PLC0415
    from bot.logs import configure_logs  # noqa: PLC0415
    from bot.store.database import Database  # noqa: PLC0415

    configure_logs("ERROR", "doctor")  # the findings say it in plain words

    database = Database(url, pool_size=2)
    well = True
    for finding in examine(settings, database):
        say(finding.line())
        well = well and finding.problem is None
    database.close()
    raise typer.Exit(0 if well else 1)


@app.command()
def staff(
    login: Annotated[str, typer.Argument(help="Small letters, digits, dots and dashes.")],
    name: Annotated[str, typer.Option(help="As colleagues call them.")],
    roles: Annotated[
        list[str],
        typer.Option("--role", help="reviewer, agent, publisher, supervisor or admin; may be given several times."),
    ],
) -> None:
    """Add somebody to the console, the first of them an admin. Prints a password that holds until the first sign-in."""
    settings = load_settings()
    url = open_store(settings.database_url, settings.data_dir)
    from bot.clock import system_clock  # noqa: PLC0415
    from bot.console.people import LOGIN_FORM  # noqa: PLC0415
    from bot.first_staff import add_staff  # noqa: PLC0415
    from bot.store.database import Database  # noqa: PLC0415
    from bot.store.models import Role  # noqa: PLC0415
    from bot.store.staff import LoginTaken  # noqa: PLC0415

    unknown = [role for role in roles if role not in set(Role)]
    if unknown or not LOGIN_FORM.fullmatch(login):
        raise CannotStart(f"{unknown[0]}: no such role" if unknown else f"{login}: no login is written so")
    database = Database(url, pool_size=1)
    now = system_clock(settings.trolydien_now)()
    try:
        password = add_staff(database, login=login, name=name, roles=[Role(role) for role in roles], now=now)
    except LoginTaken as error:
        raise CannotStart(f"{login}: somebody has this login already") from error
    finally:
        database.close()
    say(f"{settings.public_url}/console  {login}  {password}")


@nlu_review.command()
def export(file: Annotated[Path, typer.Argument(help="To be written.", dir_okay=False)]) -> None:
    """Write the verdicts that are not in the training data yet, with look-alikes of personal data, as training data."""
    with _store() as database:
        from bot.nlu_review import export as write  # noqa: PLC0415

        say(f"{write(database, file)} examples in {file}")


@nlu_review.command()
def apply(
    file: Annotated[
        Path | None,
        typer.Argument(help="What export wrote, perhaps corrected; all that waits without it.", exists=True),
    ] = None,
) -> None:
    """Take verdicts into data/nlu, retrain, and show the test set before and after. A loss is refused: exit code 1."""
    data_dir = _place().data_dir.absolute()
    with _store() as database:
        from bot.clock import system_clock  # noqa: PLC0415
        from bot.nlu_review import apply as take  # noqa: PLC0415
        from bot.nlu_review import merging  # noqa: PLC0415

        if not take(database, file, merging(data_dir), system_clock(load_settings().trolydien_now)()):
            say("nothing was changed: the data and the model are as before")
            raise typer.Exit(1)
    say("the verdicts are in data/nlu; restart the understanding to use the new model: stop and start `trolydien nlu`,")
    say("or `trolydien run` where it starts the understanding itself")


@app.command("link-codes")
def link_codes(
    codes: Annotated[list[str], typer.Argument(help="Customer codes; whoever gets the paper may see these accounts.")],
    days: Annotated[int | None, typer.Option(min=1, help="How long they hold, instead of data/company.yml.")] = None,
) -> None:
    """Make one-time codes that link a chat to a customer, to hand out in person. Prints CSV with the QR's address."""
    settings = load_settings()
    url = open_store(settings.database_url, settings.data_dir)
    from bot.handing_out import NotOurs, hand_out, write_csv  # noqa: PLC0415
    from bot.store.database import Database  # noqa: PLC0415

    database = Database(url, pool_size=1)
    try:
        write_csv(sys.stdout, hand_out(settings, database, codes, days=days))
    except NotOurs as error:
        raise CannotStart(f"{error}: no customer code of this company") from error
    finally:
        database.close()


@app.command("check-backends")
def check_backends(
    url: Annotated[str, typer.Argument(help="Of one system, or of both at its /billing and /service.")],
    token: Annotated[str, typer.Option(envvar="BACKEND_TOKEN", help="The bearer token of the systems.")],
    customer: Annotated[str | None, typer.Option(help="Code of a test customer of the system.")] = None,
    writes: Annotated[bool, typer.Option(help="Also open a payment request, a ticket and a case.")] = True,
) -> None:
    """Does a live billing or service system keep the contract? A line for each check, exit code 1 on a breach."""
    from actions.backends import check  # noqa: PLC0415

    results = check.check_backends(url, token, customer or check.TEST_CUSTOMER, writes=writes)
    raise typer.Exit(0 if all(result.ok for result in results) else 1)


@app.command()
def sandbox(
    port: Annotated[int | None, typer.Option(help="Instead of SANDBOX_PORT.")] = None,
) -> None:
    """The emulators of Zalo, Messenger and the utility's systems alone."""
    command = python("-m", "sandbox", *(["--port", str(port)] if port else []))
    os.execv(command[0], command)  # noqa: S606


@contextmanager
def _store() -> "Iterator[Database]":
    settings = load_settings()
    url = open_store(settings.database_url, settings.data_dir)
    from bot.store.database import Database  # noqa: PLC0415

    database = Database(url, pool_size=1)
    try:
        yield database
    finally:
        database.close()


def _place() -> _Place:
    try:
        return _Place()
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0]).upper()
        raise SettingsError(f"{name}: {error.errors()[0]['msg']} (see docs/settings.md)") from error


def _print_addresses(settings: "Settings", sandbox: str, seconds: float) -> None:
    """Only what answers is named."""
    gateway = settings.public_url
    pages = (("chat", f"{sandbox}/"), ("gateway", f"{gateway}/readyz"), ("console", f"{gateway}/console"))
    say(f"ready after {seconds:.0f} s; Ctrl-C stops everything")
    for name, url in pages:
        if answers(url):
            say(f"  {name:8} {url}")


def _print_demo_staff(settings: "Settings", data_dir: Path) -> None:
    from bot.clock import system_clock  # noqa: PLC0415
    from bot.demo import DATABASE  # noqa: PLC0415
    from bot.first_staff import DEMO_LOGIN, demo_staff  # noqa: PLC0415
    from bot.store.database import Database  # noqa: PLC0415

    database = Database(open_store(None, data_dir, DATABASE), pool_size=1)
    password = demo_staff(database, system_clock(settings.trolydien_now)())
    database.close()
    say(f"           sign in as {DEMO_LOGIN} with the password {password}")


if __name__ == "__main__":
    main()
