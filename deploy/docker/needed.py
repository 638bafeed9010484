"""Print what pip must install before chatsys itself: from pyproject.toml, for a layer of the image that hardly changes."""

import sys
import tomllib

with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)
what = project["project"]["optional-dependencies"] | {
    "build": project["build-system"]["requires"],
    "run": project["project"]["dependencies"],
}
print(*what[sys.argv[1]], sep="\n")
