"""As much of a Kubernetes API server as Snakemake's plugin talks to. A job's command runs here, in no container."""

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml


class FakeKubernetes:
    """A server on loopback; `jobs` are the specifications that it was sent."""

    def __init__(self, environment: dict[str, str]):
        self.jobs: list[dict] = []
        self._ended: dict[str, bool] = {}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path.endswith("/jobs"):
                    fake.jobs.append(body)
                    container = body["spec"]["template"]["spec"]["containers"][0]
                    command = container["command"] + container["args"]
                    done = subprocess.run(command, env=environment, capture_output=True, check=False)
                    fake._ended[body["metadata"]["name"]] = done.returncode == 0
                self._answer(201, body)

            def do_GET(self):
                if self.path.endswith("/status"):
                    good = fake._ended[self.path.split("/")[-2]]
                    self._answer(200, {"status": {"succeeded": int(good), "failed": int(not good)}})
                else:
                    self._answer(200, {"items": []})  # pods of a job

            def do_DELETE(self):
                self._answer(200, {})

            def _answer(self, code: int, body: dict) -> None:
                content = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def write_config(self, path: Path) -> None:
        """Write a kubeconfig that leads here."""
        cluster = {"server": f"http://127.0.0.1:{self._server.server_port}"}
        path.write_text(
            yaml.safe_dump({
                "clusters": [{"name": "fake", "cluster": cluster}],
                "users": [{"name": "me", "user": {}}],
                "contexts": [{"name": "it", "context": {"cluster": "fake", "user": "me"}}],
                "current-context": "it",
            })
        )  # fmt: skip

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
