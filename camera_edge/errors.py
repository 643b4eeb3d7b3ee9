"""The one error tree. A message says what went wrong and where; `hint` says what to do next.

    CameraEdgeError                 70  software (a defect, or a broken analyzer)
    ├── UsageError                  64  the command line is wrong
    │   └── preview.OfferError      64  a viewer's offer cannot be answered
    ├── UndecodableError            65  a source that opens, but holds no picture
    ├── QuarantineError             70  a named analyzer was quarantined
    ├── ModuleError                 70  a module that cannot be loaded or may not run
    │   └── DamagedError            70  a stored file that was whole is not any more
    ├── ModelError                  70  a model that is unknown, damaged or without a contract
    ├── BuildError                  70  an analyzer's source that cannot be compiled
    ├── SandboxError                70  a guest broke a rule while it ran (trap, fuel, memory, bad output)
    ├── preview.PreviewBusyError    70  no room for another viewer
    ├── StoreError                  70  the store is damaged or of another version
    │   └── StateLockedError        70  another process uses the state folder
    ├── OutputError                 73  a file or folder cannot be written
    ├── SourceError                 74  missing, refused, stalled or dropped source
    │   └── SourceTimeoutError      74  nothing came in time
    ├── LinkError                   76  hub and worker do not understand each other
    └── ConfigError                 78  the configuration is wrong

Exit codes follow sysexits(3). The two of `preview` are declared there: they answer a viewer and never end a program.
"""

from __future__ import annotations


class CameraEdgeError(Exception):
    """Root of the tree.

    `where` names the file and line, the address (without credentials) or the module; `hint` is the next step.
    """

    exit_code = 70

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text


class UsageError(CameraEdgeError):
    exit_code = 64


class UndecodableError(CameraEdgeError):
    exit_code = 65


class QuarantineError(CameraEdgeError):
    pass


class ModuleError(CameraEdgeError):
    pass


class DamagedError(ModuleError):
    pass


class ModelError(CameraEdgeError):
    pass


class BuildError(CameraEdgeError):
    pass


class SandboxError(CameraEdgeError):
    pass


class StoreError(CameraEdgeError):
    pass


class StateLockedError(StoreError):
    pass


class OutputError(CameraEdgeError):
    exit_code = 73


class SourceError(CameraEdgeError):
    exit_code = 74


class SourceTimeoutError(SourceError):
    pass


class LinkError(CameraEdgeError):
    exit_code = 76


class ConfigError(CameraEdgeError):
    exit_code = 78
