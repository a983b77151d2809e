"""The process that runs jobs: ``python -m server_stub.sources.local.consumer``, started and stopped by the server.

It is told by its environment where the queue and the channel are. When its standard input ends, the server is gone
(however it went), and the whole process group ends with it.
"""

import logging
import os
import signal
import threading
from pathlib import Path

from huey.consumer import Consumer  # pyright: ignore[reportMissingTypeStubs]

from .queue import connect, make_queue


def _end_with_server() -> None:
    # os.read and not sys.stdin: the workers are forked meanwhile, and would inherit the file object's lock, taken.
    while os.read(0, 1024):
        pass
    os.killpg(os.getpgid(0), signal.SIGKILL)


def main() -> None:
    """Run until the server says stop or is gone."""
    # The server says what fails; huey's own log would say it twice.
    logging.getLogger("huey").setLevel(logging.CRITICAL)
    huey, _ = make_queue(Path(os.environ["PENSTOCK_QUEUE"]))
    port, secret = int(os.environ["PENSTOCK_CHANNEL"]), os.environ["PENSTOCK_SECRET"]
    heartbeat_s = float(os.environ["PENSTOCK_HEARTBEAT_S"])

    def began() -> None:
        connect(port, secret, heartbeat_s)

    huey.on_startup()(began)  # pyright: ignore
    threading.Thread(target=_end_with_server, daemon=True).start()
    Consumer(
        huey,
        workers=int(os.environ["PENSTOCK_WORKERS"]),
        periodic=False,
        initial_delay=0.05,
        backoff=1.3,
        max_delay=0.4,
        worker_type="process",
    ).run()  # pyright: ignore


if __name__ == "__main__":
    main()
