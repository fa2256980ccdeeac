"""The table of all commands: name, module, one line of help, and the section of ``coursewire --help``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommandRow:
    """One command of ``coursewire``, or one group of commands.

    Attributes:
        name: The word that people type.
        module: The module in which the command stands. It is imported when the command runs or when its own
            ``--help`` is asked for. It has a function of the command's name, with an underscore for a hyphen, or a
            ``typer.Typer`` of that name, for a group.
        help: One sentence, which fits into 80 columns beside the longest name: 61 characters at most.
        section: The heading in ``coursewire --help``.
        extra: The optional dependencies of the distribution ``coursewire`` that the module needs; "" for none.
    """

    name: str
    module: str
    help: str
    section: str
    extra: str = ""

    @property
    def attribute(self) -> str:
        """The name of the function or of the group in the module."""
        return self.name.replace("-", "_")


_SET_UP = "Set up"
_CONFIGURATIONS = "Configurations"
_TRANSMIT = "Transmit"
_LOOK = "Look"
_SERVE = "Serve"
_TRY_OUT = "Try out"
_AUTHORS = "Write a channel"

SECTIONS = (_SET_UP, _CONFIGURATIONS, _TRANSMIT, _LOOK, _SERVE, _TRY_OUT, _AUTHORS)
"""The headings of ``coursewire --help``, in their order."""

_CLI = "coursewire.cli"

COMMANDS = (
    CommandRow("init", f"{_CLI}.init", "Make the data folder, the secret key and the database.", _SET_UP),
    CommandRow(
        "load", f"{_CLI}.load", "Load customers, catalogs, content and results from a bundle.", _SET_UP
    ),
    CommandRow(
        "channels",
        f"{_CLI}.channels",
        "Show the installed channels, and why one could not be loaded.",
        _SET_UP,
    ),
    CommandRow("doctor", f"{_CLI}.doctor", "Check whether everything is here that runs need.", _SET_UP),
    CommandRow(
        "config", f"{_CLI}.config", "Add, show, edit, check and activate configurations.", _CONFIGURATIONS
    ),
    CommandRow(
        "preview", f"{_CLI}.preview", "Print payloads from a bundle, one JSON object a line.", _TRANSMIT
    ),
    CommandRow("plan", f"{_CLI}.plan", "Show what a run would do, item by item, with reasons.", _TRANSMIT),
    CommandRow("transmit", f"{_CLI}.transmit", "Send what needs sending.", _TRANSMIT),
    CommandRow(
        "status", f"{_CLI}.status", "Show what is at the LMS, what waits, and what failed and why.", _LOOK
    ),
    CommandRow("jobs", f"{_CLI}.jobs", "Show the last runs, the newest first.", _LOOK),
    CommandRow("why", f"{_CLI}.why", "Tell why something is sent or not, and what to do next.", _LOOK),
    CommandRow("audit", f"{_CLI}.audit", "See what was sent and answered; retry, export, prune.", _LOOK),
    CommandRow(
        "learners",
        f"{_CLI}.learners",
        "See who has no id at the LMS, or left; link, unlink, forget.",
        _LOOK,
    ),
    CommandRow("serve", f"{_CLI}.serve", "Serve REST API, inbound endpoints and console.", _SERVE, "service"),
    CommandRow(
        "access", f"{_CLI}.access", "Say who may use the host service: people and tokens.", _SERVE, "service"
    ),
    CommandRow(
        "simulate", f"{_CLI}.simulate", "Run a small stand-in for a channel's LMS, until Ctrl-C.", _TRY_OUT
    ),
    CommandRow("demo", f"{_CLI}.demo", "Send sample courses and results to simulated LMSs.", _TRY_OUT),
    CommandRow(
        "new-channel",
        f"{_CLI}.new_channel",
        "Write a channel that works as generated, with its tests.",
        _AUTHORS,
    ),
    CommandRow(
        "conformance",
        f"{_CLI}.conformance",
        "Check whether a channel keeps what every channel must.",
        _AUTHORS,
    ),
)
"""Every command that belongs to Coursewire itself, in the order of ``coursewire --help``."""
