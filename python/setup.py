"""Builds the extension by CMake: pip wheel ./python --no-build-isolation. Fetches nothing.

TENSORGUARD_BUILD_DIR names a build folder in which the target tensorguard_wheel is already built.
"""

import os
import pathlib
import re
import subprocess

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = pathlib.Path(__file__).resolve().parent.parent


class BuildByCMake(build_ext):
    def run(self) -> None:
        build = os.environ.get("TENSORGUARD_BUILD_DIR")
        if build is None:
            build = str(pathlib.Path(self.build_temp).resolve())
            subprocess.check_call(
                ["cmake", "-S", str(ROOT), "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"]
            )
            subprocess.check_call(["cmake", "--build", build, "--target", "tensorguard_wheel"])
        subprocess.check_call(
            ["cmake", "--install", build, "--component", "wheel", "--prefix", self.build_lib]
        )


version = re.search(
    r"project\(tensorguard VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text()
)
assert version is not None
# The extension is named, so that the wheel is one of this machine's kind.
setup(
    version=version.group(1),
    ext_modules=[Extension("tensorguard._core", sources=[])],
    cmdclass={"build_ext": BuildByCMake},
)
