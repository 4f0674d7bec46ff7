"""Stands in for the `prefect` command where a test needs its processes but not its half minute.

The worker starts a run that never ends and, like the real one, waits for it when
it is asked to stop. The run ignores SIGTERM for a second.
"""

import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

RUN = {"id": "1", "state_type": "RUNNING", "state": {"message": ""}}
FLOW = "import signal, time; signal.signal(15, lambda *_: (time.sleep(1), exit(0))); time.sleep(600)"


class Api(BaseHTTPRequestHandler):
    """Healthy, and always running one run."""

    def do_GET(self) -> None:
        self._answer(True if self.path.endswith("/health") else RUN)

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        by_name = "name" in query.get("flow_runs", {})
        self._answer([RUN] if by_name else [])

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def _answer(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def work() -> None:
    """Start the run and wait for it, whatever arrives."""
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    run = subprocess.Popen([sys.executable, "-c", FLOW, "prefect.engine"], start_new_session=True)
    while run.poll() is None:
        time.sleep(0.1)


def main() -> None:
    """Do what the first argument names."""
    match sys.argv[1]:
        case "server":
            HTTPServer(("127.0.0.1", int(sys.argv[-1])), Api).serve_forever()
        case "worker":
            work()
        case "deployment" if os.environ.get("STUB_REFUSES"):
            sys.exit("refused")


if __name__ == "__main__":
    main()
