"""The site: guides, notebooks, and the reference from docstrings. `make docs` builds it."""
# ruff: noqa: INP001 - Sphinx reads this file by its path; the folder is no package

from __future__ import annotations

import ast
import inspect
import shutil
import sys
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_asi_one import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "langchain-asi-one"
project_copyright = "langchain-asi-one contributors. MIT licence"
version = release = __version__

# Nothing of this reads another site: an inventory of one would be a request at each build.
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["screenshots"]
nitpicky = True
# Notebooks are shown with the outputs that they were saved with; a test runs them.
nb_execution_mode = "off"
nb_render_markdown_format = "myst"  # the default knows no tables
# A drawing comes as HTML and as Mermaid source: the page takes the first.
suppress_warnings = ["mystnb.unknown_mime_type"]
myst_heading_anchors = 3
myst_enable_extensions = ["html_image"]  # pictures of a class: for the light or the dark theme
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True
# Backticks hold any code: a link where it names something of this package, else code.
default_role = "py:obj"
nitpick_ignore_regex = [
    ("py:obj", "(?s).*"),
    # Types of other packages.
    ("py:.*", r"(collections|contextlib|typing|types|pathlib|pydantic|openai|httpx2?)\..*"),
    ("py:.*", r"(typing_extensions|langchain|langchain_core|langgraph)\..*"),
    # The same by the names under which sources import them, for checkers only.
    ("py:class", r"Any|Async\w+|Awaitable|Callable|Iter\w+|Literal|Mapping|Self|Sequence|TextIO"),
    ("py:class", r"AIMessage\w*|AnyMessage|BaseChatModel|BaseMessage|BaseTool|Checkpointer"),
    ("py:class", r"CompiledStateGraph|LanguageModelInput|Runnable\w*|Runtime|SecretStr"),
    ("py:exc", "ModelRefusalError|OutputParserException"),
    # Types of private modules, which signatures show and pages do not.
    ("py:class", r"langchain_asi_one\.(\w+\.)*_\w+(\.\w+)+|(.*\.)?_\w+"),
    ("py:class", r"(.*\.)?(FollowUpRunnable|RawAndParsed)"),
    (
        "py:class",
        r"Behaviour|Decision|Diagram|Exchange|(.*\.)?FollowUpBinding|LocalAgentverse|Node|ReceivedRequest|Reply|Router|Script|Turn",
    ),
]

autodoc_default_options = {
    "member-order": "bysource",
    # A value's text may be a path of the machine that builds.
    "no-value": True,
}
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
napoleon_custom_sections = ["Setup", "Source", ("Attributes", "params_style")]
napoleon_numpy_docstring = False
python_maximum_signature_line_length = 80
python_use_unqualified_type_names = True
strip_signature_backslash = True

html_theme = "furo"
html_title = f"langchain-asi-one {release}"
html_static_path = ["_static"]
html_css_files = ["reference.css"]
html_copy_source = False
html_show_sourcelink = False


def docstring_of_value(name: str) -> str:
    """Read the docstring below a value, which only the module that defines it shows."""
    module_name, _, own_name = name.rpartition(".")
    value = getattr(import_module(module_name), own_name)
    for module in list(sys.modules.values()):
        if module.__name__.startswith("langchain_asi_one") and module.__file__ is not None:
            if vars(module).get(own_name) is not value:
                continue
            body = ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body
            for statement, below in pairwise(body):
                target = getattr(statement, "target", None) or getattr(statement, "targets", [0])[0]
                if isinstance(target, ast.Name) and target.id == own_name:
                    match below:
                        case ast.Expr(ast.Constant(str(text))):
                            return inspect.cleandoc(text)
    return ""


def put_docstring_of_value(
    _app: Sphinx, what: str, name: str, _value: object, _options: object, lines: list[str]
) -> None:
    """Replace the docstring of a value's type by its own."""
    if what == "data":
        lines[:] = docstring_of_value(name).splitlines()


def write_plain_default(
    _app: Sphinx, _what: str, _name: str, _value: object, _options: object, *written: str | None
) -> tuple[str, str | None] | None:
    """Write a default that a function makes as Sphinx can read it."""
    signature, returns = written
    return None if signature is None else (signature.replace("<factory>", "..."), returns)


def copy_notebooks(app: Sphinx) -> None:
    """Put the notebooks where Sphinx finds pages; git ignores the copies."""
    target = Path(app.srcdir) / "notebooks"
    target.mkdir(exist_ok=True)
    for notebook in sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb")):
        shutil.copy(notebook, target)


def setup(app: Sphinx) -> dict[str, Any]:
    """Let values be documented; Napoleon reads the result, so it comes after."""
    app.connect("builder-inited", copy_notebooks)
    app.connect("autodoc-process-signature", write_plain_default)
    app.connect("autodoc-process-docstring", put_docstring_of_value, priority=400)
    return {"parallel_read_safe": True}
