"""`python -m camera_edge` is `camera-edge`."""

import sys


def _main() -> int:
    if sys.argv[1:2] == ["worker"]:
        # without the tree of commands: its libraries would cost every camera 10 MB, and all it needs is two arguments
        from camera_edge.worker.main import main as worker

        return worker(sys.argv[2:])
    from camera_edge.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(_main())
