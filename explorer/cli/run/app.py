"""``app``: serve the screens on this machine."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from explorer.classroom import qr
from explorer.classroom.opening import ADDRESS_VARIABLE, NAME_VARIABLE, address_in_network, begin, join_link
from explorer.classroom.state import MOST_STUDENTS
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.flags.app import OPENED, QUOTAS
from explorer.errors import ExplorerError
from explorer.models.libraries.downloads import ALLOW_VARIABLE, cache_folder
from explorer.store import log_file
from explorer.types.files.paths import ROOT_VARIABLE
from explorer.types.files.reading.scratch import sweep_scratch
from explorer.workbench.quotas import VARIABLE as QUOTAS_VARIABLE
from explorer.workbench.quotas import Quotas

FIRST_PORT, N_PORTS = 8501, 20
_TEACHERS = 20  # browsers beside the students': a desk, a projector, guests
DATA_VARIABLE = "PRUNING_EXPLORER_DATA"


def run(args: Arguments) -> int:
    """Serve until interrupted."""
    address = _address(args)
    port = _port(args.port, address)
    script = _script()
    os.environ[ROOT_VARIABLE] = os.pathsep.join([*_roots(args), *_downloads(args)])
    if args.data_dir:
        os.environ[DATA_VARIABLE] = str(Path(args.data_dir).expanduser().resolve())
    os.environ[QUOTAS_VARIABLE] = _quotas(args).to_environment()
    os.environ[log_file.VARIABLE] = args.log_level
    sweep_scratch()
    url = _url(address, port, args)
    of_class = _class(args, address, port)
    if args.json:
        printing.say_json({"url": url, "address": address, "port": port, **({"class": of_class} if of_class else {})})
    else:
        printing.say(f"The app is at {url} (Ctrl+C ends it).", *_class_lines(of_class))
    sys.stdout.flush()
    if args.open_to_network:
        printing.note("Open to the network: whoever reaches this port may use the app.")
    command = _command(script, address, port, args)
    return _serve_and_show(command, url, address, port) if _opens_browser(args) else _serve(command, quiet=args.json)


def _quotas(args: Arguments) -> Quotas:
    """Those that were asked for, else the usual ones; a class that may be joined finds a place for everybody."""
    asked = {name: getattr(args, f"max_{name}") for name in QUOTAS}
    usual = Quotas() if args.class_name is None else Quotas(visitors=MOST_STUDENTS + _TEACHERS)
    return replace(usual, **{name: value for name, value in asked.items() if value is not None})


def _class(args: Arguments, address: str, port: int) -> dict[str, str]:
    """What the teacher needs to know of the class that is served: link, code, page, and the key where it is new."""
    for variable in (NAME_VARIABLE, ADDRESS_VARIABLE):
        os.environ.pop(variable, None)
    if args.class_name is None:
        if args.new_key:
            raise ExplorerError("--new-key is about a class.", fix="Add --class NAME.")
        return {}
    state, key = begin(args.class_name, new_key=args.new_key)
    here = address_in_network() if address in ("0.0.0.0", "::") else address
    base = f"http://{f'[{here}]' if ':' in here else here}:{port}"
    os.environ[NAME_VARIABLE], os.environ[ADDRESS_VARIABLE] = state.name, base
    about = {"name": state.name, "code": state.code, "join": join_link(base, state.code), "page": f"{base}/classroom"}
    return about | ({"key": key} if key else {})


def _class_lines(about: dict[str, str]) -> list[str]:
    if not about:
        return []
    key = about.get("key", "the one that was shown when the class began (--new-key makes another)")
    lines = [
        "",
        f"Class {about['name']}: students join at {about['join']} with the code {about['code']}",
        f"The teacher's page is {about['page']}",
        f"The teacher's key, shown once: {key}" if "key" in about else f"The teacher's key is {key}",
    ]
    if not sys.stdout.isatty():
        return lines
    try:
        return [*lines, "", *qr.in_terminal(about["join"]).splitlines(), ""]
    except ExplorerError as error:
        return [*lines, str(error)]


def _roots(args: Arguments) -> list[str]:
    """Folders whose files the screen may open by path: none but the one named when others can reach the app."""
    if args.root:
        folder = Path(args.root).expanduser()
        if not folder.is_dir():
            raise ExplorerError(f"{args.root} is not a folder.", fix="Give --root a folder that exists.")
        if os.pathsep in str(folder.resolve()):  # the server would read it as two folders
            what = f"{args.root} has {os.pathsep!r} in its path."
            raise ExplorerError(what, why="It parts one folder from the next.", fix="Give --root another folder.")
        return [str(folder.resolve())]
    if args.open_to_network:
        return []
    named = [Path(address.rpartition(":")[2]).expanduser() for address in (args.model, args.data) if address]
    folders = [str(Path.cwd()), *(str(path.resolve().parent) for path in named if path.exists())]
    return [folder for folder in folders if os.pathsep not in folder]


def _downloads(args: Arguments) -> list[str]:
    """The folder of downloaded models, which may be opened where the app may download."""
    os.environ.pop(ALLOW_VARIABLE, None)
    if not args.allow_download:
        return []
    if args.open_to_network:
        why = "Whoever reaches the port could fill the disk of this machine."
        fix = "Download the models first, or serve on this machine alone."
        raise ExplorerError("An app that is open to the network downloads nothing.", why=why, fix=fix)
    os.environ[ALLOW_VARIABLE] = "1"
    return [str(cache_folder())]


def _url(address: str, port: int, args: Arguments) -> str:
    opened = {name: _from_here(str(getattr(args, name))) for name in OPENED if getattr(args, name)}
    try:
        query = urlencode(opened)
    except UnicodeEncodeError:  # bytes that are no UTF-8 reach Python as half characters
        what = "What is to be opened cannot be written into a link."
        why = "It holds bytes that are no text in UTF-8."
        raise ExplorerError(what, why=why, fix="Give the file another name.") from None
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address, f"[{address}]" if ":" in address else address)
    return f"http://{host}:{port}/" + (f"?{query}" if query else "")


def _from_here(address: str) -> str:
    """An address whose relative path is one in this shell's folder; to the server it would be one in its own."""
    head, mark, place = address.rpartition(":")
    path = Path(place).expanduser()
    is_path = any(sign in place for sign in ("/", "\\", "~", ".")) and not path.is_absolute()
    return f"{head}{mark}{path.resolve()}" if is_path and path.exists() else address


def _script() -> Path:
    package = Path(__file__).resolve().parents[2]
    # Inside the package where it was installed, beside it in the project's own folder.
    for script in (package / "screens" / "server.py", package.parent / "server.py"):
        if script.is_file():
            return script
    what = "The screens are not there."
    raise ExplorerError(what, why="This installation left them out.", fix="Install the package again from its wheel.")


def _address(args: Arguments) -> str:
    address = args.address or ("0.0.0.0" if args.open_to_network else "127.0.0.1")
    address = "127.0.0.1" if address == "localhost" else address
    try:
        only_here = ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise ExplorerError(f"{address!r} is not an IP address.", fix="Leave --address out, or give one.") from None
    if not only_here and not args.open_to_network:
        why = "Other machines could then reach the app, and nobody has to sign in."
        raise ExplorerError(
            f"The app does not serve on {address}.", why=why, fix="Add --open-to-network if you mean it."
        )
    return address


def _port(asked: int | None, address: str) -> int:
    candidates = range(FIRST_PORT, FIRST_PORT + N_PORTS) if asked is None else (asked,)
    for port in candidates:
        bound = _bound(address, port)
        if bound is not None:
            return bound
    what = f"Port {asked} is taken." if asked is not None else f"Ports {FIRST_PORT} to {candidates[-1]} are taken."
    raise ExplorerError(what, fix="Give another --port, or --port 0 for any free one.")


def _bound(address: str, port: int) -> int | None:
    """The port when it can be served on, None when something else holds it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            return int(probe.getsockname()[1])
        except PermissionError:
            raise ExplorerError(f"Port {port} is not permitted.", fix="Give a --port above 1023.") from None
        except OSError as error:
            if error.errno in _NOT_HERE:
                what = f"This machine has no address {address}."
                raise ExplorerError(what, fix="Leave --address out.") from None
            return None


_NOT_HERE = {99, 49, 10049}  # "cannot assign requested address" on Linux, macOS and Windows


def _command(script: Path, address: str, port: int, args: Arguments) -> list[str]:
    options = {"address": address, "port": str(port), "headless": "true"}
    if args.open_to_network:
        options["allowedHosts"] = "*"
    flags = [f"--server.{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(script), *flags]


def _opens_browser(args: Arguments) -> bool:
    has_screen = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return has_screen and sys.stdout.isatty() and not args.no_browser and not args.json


def _serve_and_show(command: list[str], url: str, address: str, port: int) -> int:
    """Serve, and open a browser window once the server answers."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    with subprocess.Popen(command) as server:
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: server.terminate())
        while server.poll() is None:
            try:
                socket.create_connection((host, port), timeout=1).close()
            except OSError:
                time.sleep(0.2)
                continue
            webbrowser.open(url)
            break
        try:
            return server.wait()
        except KeyboardInterrupt:
            # The terminal has sent the same interrupt to the server, which is ending by itself.
            return server.wait()


def _serve(command: list[str], *, quiet: bool) -> int:
    """Become the server, so that signals reach it and nothing is left behind."""
    if os.name == "nt":
        return subprocess.run(command, check=False, stdout=sys.stderr if quiet else None).returncode
    if quiet:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    os.execv(command[0], command)
