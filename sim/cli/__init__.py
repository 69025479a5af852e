"""The command line: words in, words out, and an exit status that means something.

0: fine. 1: a defect of this program. 2: the input was bad. 130: interrupted.
"""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Run the command that the command line asks for, and exit with its status."""
    # NumPy's and SciPy's threads would wait busily for work that never comes: a fifth of the CPU time of a short run.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from sim.cli import signals

    try:
        signals.install()
        status = _status()
    except BaseException:
        # Where the signal came decides what is raised: an import that is interrupted, say, raises errors of its own.
        if signals.asked_by() is None:
            raise
        status = 0
    number = signals.asked_by()
    if number is not None:
        status = 128 + number
        if number == signal.SIGINT:
            _say("interrupted")
    sys.exit(status)


def _status() -> int:
    """Run the command. Returns the exit status."""
    import click

    from sim.cli.app import cli

    _open_streams()
    try:
        status = cli.main(prog_name="sim", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        status = leaving.exit_code
    except click.Abort:
        status = 130
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "sim"
        _say(f"{command}: {error.format_message()}")
        status = 2
    except click.ClickException as error:
        _say(error.format_message())
        status = 2
    except (SystemExit, BrokenPipeError) as error:
        # Whoever read our output has had enough. click turns that into a status of 1, which is for our own defects.
        if isinstance(error, SystemExit) and "PacifyFlush" not in type(sys.stdout).__name__:
            raise
        _close_output()
        status = 141
    except OSError as error:
        _say(f"{error.filename or 'standard output'}: {error.strerror}, expected to be able to use it")
        _close_output()
        status = 2
    except MemoryError:
        _say("found more than fits into this machine's memory, expected a smaller experiment")
        status = 2
    except Exception as error:
        from sim.cli.signals import asked_by
        from sim.scenario.errors import InputError

        if asked_by() is not None or not isinstance(error, InputError):
            raise
        _say(str(error))
        status = 2
    return status or 0


def _open_streams() -> None:
    """Have somewhere to write even if the streams are closed, and write what they cannot encode in another way."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _close_output() -> None:
    """Let nothing more be written: Python would try the rest once more when it leaves, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _say(message: str) -> None:
    print(" ".join(message.split()), file=sys.stderr)  # noqa: T201
