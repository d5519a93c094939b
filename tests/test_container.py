"""The Dockerfile keeps what it promises, read line by line; building it needs an engine that tests do not have."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from explorer import __version__
from explorer.cli import parser
from explorer.cli.arguments import Arguments

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")


def instructions() -> list[tuple[str, str]]:
    """Each instruction with its arguments, continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]  # type: ignore[misc]


def arguments_of(name: str) -> list[str]:
    return [arguments for instruction, arguments in instructions() if instruction == name]


def test_every_base_has_a_fixed_version() -> None:
    bases = [base.split()[0] for base in arguments_of("FROM")]
    assert bases
    assert all(":" in base and not base.endswith(":latest") for base in bases)


def test_the_app_runs_as_a_user_without_rights_and_nothing_follows_as_root() -> None:
    (user,) = arguments_of("USER")
    assert user not in ("root", "0")
    assert f"useradd --uid 10001 --create-home --shell /usr/sbin/nologin {user}" in TEXT
    names = [instruction for instruction, _ in instructions()]
    assert not {"RUN", "COPY", "ADD"} & set(names[names.index("USER") :])


def test_nothing_is_fetched_by_add_or_piped_into_a_shell_and_no_cache_stays() -> None:
    assert arguments_of("ADD") == []
    installs = re.findall(r"pip install [^&\n]*", TEXT)
    assert len(installs) == 2
    assert all("--no-cache-dir" in install for install in installs)
    assert not re.search(r"(curl|wget|sudo|\| *(ba)?sh)", TEXT)
    assert not re.search(r"(?i)(password|token|secret|api_key)", TEXT)


def test_what_is_copied_is_there() -> None:
    for arguments in arguments_of("COPY"):
        if not arguments.startswith("--from="):
            for source in arguments.split()[:-1]:
                assert (ROOT / source).exists(), source


def test_the_command_is_one_that_the_command_line_takes() -> None:
    (command,) = arguments_of("CMD")[-1:]
    program, *words = json.loads(command)
    assert program == "pruning-explorer"
    args = parser().parse_args(words, Arguments())
    (port,) = arguments_of("EXPOSE")
    assert str(args.port) == port


def test_a_health_check_asks_the_port_that_is_served() -> None:
    (check,) = arguments_of("HEALTHCHECK")
    (port,) = arguments_of("EXPOSE")
    code = json.loads(check.partition("CMD ")[2])[-1]
    assert f"127.0.0.1:{port}/_stcore/health" in code
    compile(code, "health", "exec")


def test_compose_mounts_the_file_system_read_only_and_gives_no_rights() -> None:
    for line in ("read_only: true", "no-new-privileges:true", "- ALL", '"127.0.0.1:8501:8501"', "pids_limit:"):
        assert line in COMPOSE
    assert "privileged: true" not in COMPOSE


def test_torch_is_the_pinned_one() -> None:
    pinned = re.search(r"^torch==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert pinned is not None
    assert f"torch=={pinned[1]} " in TEXT


def test_the_version_stands_in_one_place_and_the_others_follow_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {__version__} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "pruning-explorer" in project["project"]["scripts"]
