"""The command line: words in, words out, and an exit status that means something.

0: fine. 1: a defect of this program. 2: the input was bad. 130: interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command that the command line asks for, and exit with its status."""
    # NumPy's and SciPy's threads would wait busily for work that never comes: a fifth of the CPU time of a short run.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import click

    from sim.cli.app import cli

    _open_streams()
    signal.signal(signal.SIGTERM, _terminated)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    try:
        status = cli.main(prog_name="sim", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        status = leaving.exit_code
    except (click.Abort, _InterruptedError):
        _say("interrupted")
        status = 130
    except _TerminatedError:
        status = 128 + signal.SIGTERM
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
        from sim.scenario.errors import InputError

        if not isinstance(error, InputError):
            raise
        _say(str(error))
        status = 2
    sys.exit(status or 0)


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


class _InterruptedError(BaseException):
    """Ctrl-C. Not a KeyboardInterrupt, of which click makes an empty line."""


def _interrupted(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the cleaning up
    raise _InterruptedError


class _TerminatedError(BaseException):
    """Somebody wants this process to end. Not a SystemExit, which a policy might have meant."""


def _terminated(number: int, frame: FrameType | None) -> None:
    raise _TerminatedError
