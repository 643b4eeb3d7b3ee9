"""`camera-edge run` with less patience: `quick_hub.py CONFIG` gives up on a silent worker after 2 s."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from camera_edge.cli.news import Teller
from camera_edge.cli.talk import log_to_stderr
from camera_edge.config import load
from camera_edge.hub import Hub, HubOptions, SupervisionPolicy, run_until_signal

POLICY = SupervisionPolicy(silent_s=2.0, stuck_s=10.0, first_delay_s=0.5, longest_delay_s=2.0)

if __name__ == "__main__":
    config = load(Path(sys.argv[1]))
    log_to_stderr(logging.WARNING)
    options = HubOptions(supervision=POLICY, look_after_s=0.1)
    asyncio.run(run_until_signal(Hub(config, on_news=Teller(config.state).tell, options=options)))
