"""Build the image of this clone, under the two names that it goes by: `make image` runs this.

chatsys:latest                     what compose.yaml and a person start
chatsys:py3.12-0123456789abcdef    what Cluster(where="containers") looks for: this Python, this state of the code
"""

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP))

from chatsys.runtime.engine import PYTHON, image  # noqa: E402, the clone comes first


def main() -> None:
    names = ["--tag", "chatsys:latest", "--tag", image()]
    command = ["docker", "build", "--file", "deploy/docker/Dockerfile", "--build-arg", f"PYTHON={PYTHON}", *names, "."]
    try:
        sys.exit(subprocess.run(command, cwd=TOP, env=os.environ | {"DOCKER_CLI_HINTS": "false"}).returncode)
    except FileNotFoundError:
        sys.exit("There is no docker on the PATH; install Docker, or let podman answer to that name.")


if __name__ == "__main__":
    main()
