"""What pyproject.toml cannot say: the wheel brings along what lies outside the package's folder.

The pretrained models and `setup_torch.py` lie at the top of the repository, where the Slicer
extension takes them from as well. In the wheel they lie inside the package. An editable
installation finds them where they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from setuptools import Command, setup
from setuptools.command.build import SubCommand, build

TOP = Path(__file__).parent
MODELS = Path("Resources/Models")


class BuildModels(Command, SubCommand):
    """Copy the models and `setup_torch.py` into the package that is built.

    https://setuptools.pypa.io/en/latest/userguide/extension.html#setuptools.command.build.SubCommand
    """

    user_options: ClassVar[list[tuple[str, str, str]]] = []

    def initialize_options(self) -> None:
        self.build_lib: str | None = None
        self.editable_mode = False

    def finalize_options(self) -> None:
        self.set_undefined_options("build_py", ("build_lib", "build_lib"))

    def run(self) -> None:
        for built, source in self.get_output_mapping().items():
            self.mkpath(str(Path(built).parent))
            self.copy_file(source, built)

    def get_source_files(self) -> list[str]:
        files = (path for path in (TOP / MODELS).rglob("*") if path.is_file())
        return ["setup_torch.py", *sorted(path.relative_to(TOP).as_posix() for path in files)]

    def get_outputs(self) -> list[str]:
        return list(self.get_output_mapping())

    def get_output_mapping(self) -> dict[str, str]:
        if self.editable_mode or self.build_lib is None:
            return {}
        package = Path(self.build_lib, "PETAnomalyLib")
        return {str(package / source): source for source in self.get_source_files()}


build.sub_commands.append(("build_models", None))
setup(cmdclass={"build_models": BuildModels})
