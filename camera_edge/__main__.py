"""`python -m camera_edge` is `camera-edge`."""

import sys

from camera_edge.cli import main

if __name__ == "__main__":
    sys.exit(main())
