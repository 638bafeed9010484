"""What pyproject.toml cannot say: a built package carries the notebooks, of which there is one copy, in notebooks/."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithNotebooks(build_py):
    """Build the package and put the notebooks beside its modules; an editable one has them in the clone."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            ignore = shutil.ignore_patterns("data", ".*", "__pycache__")
            shutil.copytree(
                "notebooks", Path(self.build_lib) / "chatsys" / "notebooks", ignore=ignore, dirs_exist_ok=True
            )


setup(cmdclass={"build_py": WithNotebooks})
