"""The command line: data on stdout, talk on stderr, one clear error and an exit code.

Invariant: a CameraEdgeError ends here as one line; a traceback on the screen is a defect.
"""

from __future__ import annotations

from typer import Exit
from typer.exceptions import Abort, TyperException
from typer.main import get_command

from camera_edge.cli.commands import app
from camera_edge.cli.talk import complain
from camera_edge.errors import CameraEdgeError, UsageError

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    try:
        answer = get_command(app).main(arguments, prog_name="camera-edge", standalone_mode=False)
    except CameraEdgeError as exc:
        complain(exc)
        return exc.exit_code
    except Exit as exc:
        return exc.exit_code
    except (Abort, KeyboardInterrupt):
        return 130
    except TyperException as exc:
        exc.show()  # type: ignore[attr-defined]  # every exception that the parser raises has it
        return UsageError.exit_code
    except SystemExit:
        # what Typer and Rich make of it when the reader of our output has gone away (`| head`), which is no fault
        return 0
    return answer if isinstance(answer, int) else 0
