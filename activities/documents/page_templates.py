"""The templates of pages, sandboxed: Billow's own, with the blocks a look overrides.

A block is overridden by a template of its own that extends the one before it, so that whatever fails is told with the
file and the line people wrote. Nothing here bounds the time a template takes: who renders what a company wrote does so
in a process that can be killed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path
from traceback import walk_tb
from typing import Any

from jinja2 import (
    BaseLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
    TemplateSyntaxError,
    nodes,
)
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel

from activities.documents.direction import directed
from activities.documents.look import PLAIN, LookFiles
from activities.languages.templating import translated

TEMPLATES = Path(__file__).parent / "templates"
COMPANY_FOLDER = "templates/"
"""Before the name of a look's file, where a message names it."""

_LONGEST = 100_000
"""Characters or items a template may make by multiplying."""

_IN = " in "


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, without what pydantic adds to every value: its deprecated methods read files and unpickle."""

    intercepted_binops = frozenset(["*", "**"])

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        record = obj if isinstance(obj, type) else type(obj)
        if (issubclass(record, BaseModel) and hasattr(BaseModel, attr)) or issubclass(
            record, NullTranslations
        ):
            return False
        return super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("powers are not computed in templates")
        for text, times in ((left, right), (right, left)):
            if (
                isinstance(text, str | list | tuple)
                and isinstance(times, int)
                and len(text) * times > _LONGEST
            ):
                raise SecurityError(f"a template makes no text longer than {_LONGEST:,} characters")
        return super().call_binop(context, operator, left, right)


class _Loader(BaseLoader):
    """Billow's templates by file name, and a look's blocks as `<file> in <template>`."""

    def __init__(self, look: LookFiles) -> None:
        self._look = look
        self._own = FileSystemLoader(TEMPLATES)
        self._block_of = {file: block for block, file in look.blocks.items()}

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        file, around, rest = template.partition(_IN)
        if not around:
            return self._own.get_source(environment, template)
        if file not in self._block_of:
            raise TemplateNotFound(template)
        block = self._block_of[file]
        source = self._look.files[file].decode("utf-8-sig")
        # on one line: the lines of the template are those of the file
        whole = f'{{% extends "{rest}" %}}{{% block {block} %}}{source}{{% endblock %}}'
        return whole, COMPANY_FOLDER + file, None


@lru_cache(maxsize=16)
def environment(look: LookFiles) -> Sandbox:
    """Where the templates of a look live, compiled once a process."""
    sandbox = Sandbox(
        loader=_Loader(look),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    translated(sandbox)
    sandbox.filters["directed"] = directed
    return sandbox


def page_template(look: LookFiles, name: str) -> Template:
    """A template of Billow's (`invoice.html`) with the blocks the look overrides; `TemplateError` if one is broken."""
    for file in look.blocks.values():
        name = f"{file}{_IN}{name}"
    return environment(look).get_template(name)


@lru_cache(maxsize=1)
def block_names() -> frozenset[str]:
    """The blocks of Billow's templates: what a look may override."""
    sandbox = environment(PLAIN)
    trees = (sandbox.parse(path.read_text("utf-8")) for path in TEMPLATES.glob("*.html"))
    return frozenset(block.name for tree in trees for block in tree.find_all(nodes.Block))


def place_of_fault(error: BaseException | None) -> tuple[str, int] | None:
    """File and line in a company's own template where an error, or what caused it, was raised; None if in none."""
    while error is not None:
        if isinstance(error, TemplateSyntaxError) and (error.filename or "").startswith(COMPANY_FOLDER):
            return str(error.filename), error.lineno
        places = [
            (frame.f_code.co_filename, line)
            for frame, line in walk_tb(error.__traceback__)
            if frame.f_code.co_filename.startswith(COMPANY_FOLDER)
        ]
        if places:
            return places[-1]
        error = error.__cause__ or error.__context__
    return None
