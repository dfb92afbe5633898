"""As much of a Kubernetes API server as Snakemake's plugin talks to. A job's command runs here, in no container."""

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import yaml


class FakeKubernetes:
    """A server on loopback; `jobs` are the specifications that it was sent."""

    def __init__(self, environment: dict[str, str]):
        self.jobs: list[dict] = []
        self.environment = environment
        """Of the jobs' commands."""
        self._ended: dict[str, bool] = {}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path.endswith("/jobs"):
                    fake.jobs.append(body)
                    container = body["spec"]["template"]["spec"]["containers"][0]
                    command = container["command"] + container["args"]
                    done = subprocess.run(command, env=fake.environment, capture_output=True, check=False)
                    fake._ended[body["metadata"]["name"]] = done.returncode == 0
                self._answer(201, body)

            def do_GET(self):
                path, _, query = unquote(self.path).partition("?")
                if path.endswith("/status"):
                    good = fake._ended[path.split("/")[-2]]
                    self._answer(200, {"status": {"succeeded": int(good), "failed": int(not good)}})
                elif path.endswith("/log") and "previous=True" in query:
                    self._answer(400, {"message": 'previous terminated container "snakemake" not found'})
                elif path.endswith("/log"):
                    self._answer(200, "the log of the pod")
                else:
                    self._answer(200, {"items": [fake._pod(query.removeprefix("labelSelector=job-name="))]})

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

    def _pod(self, job: str) -> dict:
        state = {"terminated": {"exitCode": int(not self._ended[job])}}
        container = {"name": "snakemake", "image": "", "imageID": "", "ready": False, "restartCount": 0, "state": state}
        return {"metadata": {"name": f"{job}-pod"}, "status": {"containerStatuses": [container]}}

    def write_config(self, path: Path) -> None:
        """Write a kubeconfig that leads here."""
        cluster = {"server": f"http://127.0.0.1:{self._server.server_port}"}
        path.write_text(
            yaml.safe_dump(
                {
                    "clusters": [{"name": "fake", "cluster": cluster}],
                    "users": [{"name": "me", "user": {}}],
                    "contexts": [{"name": "it", "context": {"cluster": "fake", "user": "me"}}],
                    "current-context": "it",
                }
            )
        )

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
