"""The commands and their options."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import click

from gostead import __version__
from gostead.cli.errors import CommandError
from gostead.cli.inventory import DEFAULT

SUBJECTS = (
    "toolchains", "shells", "caches", "go_env", "xcode", "cgo", "tools", "slices", "orphans",
    "schedule", "removal",
)  # fmt: skip


class _Group(click.Group):
    """Lists commands in the order in which they are written."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gostead")
def cli() -> None:
    """Brings macOS and Linux hosts to a declared Go setup, and proves it."""


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The argument and options that all commands over an inventory share."""
    for decorate in reversed(
        (
            click.argument("inventory", default=DEFAULT),
            click.option("--limit", multiple=True, help="Only these hosts or groups."),
            click.option("--declaration", default="group_data", show_default=True,
                         help="Directory of the YAML layers."),
            click.option("--json", "json_to", is_flag=False, flag_value="-", metavar="[FILE]",
                         help="The report as JSON, to FILE or alone on standard output."),
            click.option("-v", "--verbose", is_flag=True, help="pyinfra's own lines too."),
            click.option("--timeout", type=click.FloatRange(1),
                         help="Seconds for one script; connecting has no more than 10 of them."),
            click.option("--parallel", type=click.IntRange(1), help="Hosts at the same time."),
        )
    ):  # fmt: skip
        command = decorate(command)
    return command


subject = click.option(
    "--subject", "subjects", multiple=True, type=click.Choice(SUBJECTS), help="Only these subjects."
)
yes = click.option("-y", "--yes", is_flag=True, help="Does not ask.")
deep = click.option("--deep", is_flag=True, help="Hashes every tree, whatever its stamp says.")
why = click.option("--why", default="", help="The reason, for those who come after.")


@cli.command()
@common
@subject
@deep
@click.option("--out", help="Saves the plan, for apply --plan.")
@click.option("--explain", is_flag=True, help="The file and line that each value comes from.")
def plan(**given: Any) -> int:
    """What would change. Writes nothing on any host. Exit 0: nothing; 2: changes pending."""
    from gostead.cli.planning import plan_hosts

    return plan_hosts(**given)


@cli.command()
@common
@subject
@deep
@yes
@click.option("--plan", "saved", help="Applies exactly this saved plan, or refuses.")
@click.option("--max-fail", type=click.IntRange(0), help="Starts no more hosts after N failed.")
@click.option("--canary", type=click.IntRange(0), default=0, help="N hosts first, then the rest.")
def apply(**given: Any) -> int:
    """Makes the changes, and reads each back. Exit 0: converged; 1: a host failed."""
    from gostead.cli.applying import apply_hosts

    return apply_hosts(command="apply", **given)


class _Audit(click.Command):
    """`--artifact` takes all words up to the next option, as a shell's pattern gives them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words: list[str] = []
        files = False
        for number, word in enumerate(args):
            if word == "--":
                words += args[number:]
                break
            if files and not word.startswith("-"):
                words += ["--artifact", word] if words[-1] != "--artifact" else [word]
            else:
                words.append(word)
                files = word == "--artifact" or word.startswith("--artifact=")
        return super().parse_args(ctx, words)


@cli.command(cls=_Audit)
@common
@deep
@click.option("--build", is_flag=True, help="Builds and tests a module with each toolchain.")
@click.option(
    "--project",
    metavar="DIR",
    help="Asks no host: do the declared toolchains do for DIR's go.mod and go.work?",
)
@click.option(
    "--artifact", "artifacts", multiple=True, metavar="FILE [FILE...]",
    help="Asks no host: where do these programs, libraries and archives run?",
)  # fmt: skip
@click.pass_context
def audit(
    context: click.Context, /, project: str | None, artifacts: tuple[str, ...], **given: Any
) -> int:
    """Proves it by other means. Exit 0: all hold; 2: findings."""
    if artifacts:
        from gostead.cli.artifacts import audit_artifacts

        asked = context.get_parameter_source("inventory")
        if asked is not None and asked.name == "COMMANDLINE":
            hint = "write the files behind --artifact, before any other option"
            raise CommandError(f"--artifact asks no host: what is {given['inventory']}?", hint)
        return audit_artifacts(artifacts, project=project, **given)
    if project is not None:
        from gostead.cli.projecting import audit_project

        return audit_project(project, **given)
    from gostead.cli.auditing import audit_hosts

    return audit_hosts(**given)


@cli.command()
@common
@click.option("--user", multiple=True, metavar="NAME", help="This user; else the declared ones.")
def explain(**given: Any) -> int:
    """Which go runs in each way of starting a shell, and which line put it there."""
    from gostead.cli.explaining import explain_hosts

    return explain_hosts(**given)


@cli.command()
@common
@deep
def facts(**given: Any) -> int:
    """The hosts' state as JSON, in stable order."""
    from gostead.cli.planning import print_facts

    return print_facts(**given)


@cli.command()
@common
@yes
@click.option("--purge", is_flag=True, help="The users' caches below directories of ours, too.")
def remove(**given: Any) -> int:
    """Takes away what gostead made and puts back what it replaced."""
    from gostead.cli.applying import apply_hosts

    return apply_hosts(command="remove", **given)


@cli.command()
@common
@why
@click.option("--to", default="", metavar="VERSION", help="This version; else the previous one.")
def rollback(**given: Any) -> int:
    """The previous toolchain is the default again, without a download, and is held."""
    from gostead.cli.holding import rollback_hosts

    return rollback_hosts(**given)


@cli.command()
@common
@why
@click.option("--until", default="", help="When it ends: 2h, 3d, or an ISO time.")
def hold(**given: Any) -> int:
    """Keeps the active version, whatever is declared."""
    from gostead.cli.holding import hold_hosts

    return hold_hosts(**given)


@cli.command()
@common
def release(**given: Any) -> int:
    """Ends a hold."""
    from gostead.cli.holding import release_hosts

    return release_hosts(**given)


@cli.command()
def schema() -> int:
    """The JSON Schema of the declaration."""
    from gostead.declaration import json_schema

    click.echo(json.dumps(json_schema(), indent=2, sort_keys=True))
    return 0


def run(arguments: list[str] | None = None) -> int:
    """Runs the command line; the exit code. Every error ends it with 1, and says what to do."""
    try:
        result = cli.main(arguments, prog_name="gostead", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except CommandError as error:
        _complain(str(error), error.hint)
    except click.ClickException as error:
        _complain(error.format_message(), "gostead --help")
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted; nothing more was done", "")
    except BrokenPipeError:
        sys.stderr.close()
    return 1


def _complain(message: str, hint: str) -> None:
    from gostead.report.text import safe

    for number, line in enumerate(message.splitlines()):
        click.echo(("error: " if not number else "  ") + safe(line), err=True)
    if hint:
        click.echo(f"hint: {safe(hint)}", err=True)
