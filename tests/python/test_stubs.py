"""The stub says what the package offers: every name, every parameter, every default."""

import ast
import inspect
import pathlib

import ngff

STUB = pathlib.Path(__file__).resolve().parents[2] / "python/ngff/__init__.pyi"
HELPERS = {"Path", "Store", "Version", "Progress", "ScaleFactors", "Chunks", "LazyArray", "os"}


def declared():
    """{name: its node}; names that are imported count when they are exported (`x as x`)."""
    names = {}
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            names.update({alias.asname: node for alias in node.names if alias.asname})
        elif isinstance(node, ast.FunctionDef):
            names[node.name] = node
        elif isinstance(node, ast.AnnAssign):
            names[node.target.id] = node
    return names


def test_every_public_name_is_in_the_stub():
    assert set(ngff.__all__) | {"__version__"} == set(declared()) - HELPERS


def test_names_come_from_where_the_stub_says():
    for name, node in declared().items():
        if isinstance(node, ast.ImportFrom) and node.module:
            assert ngff._HOME[name] == node.module, name


def parameters(node):
    """[(name, default as text or None)] of a stub's function."""
    args = node.args.posonlyargs + node.args.args
    defaults = [None] * (len(args) - len(node.args.defaults)) + node.args.defaults
    args, defaults = args + node.args.kwonlyargs, defaults + node.args.kw_defaults
    return [(arg.arg, value and ast.literal_eval(value), value is not None)
            for arg, value in zip(args, defaults)]


def test_parameters_and_defaults_are_the_same():
    checked = 0
    for name, node in declared().items():
        function = getattr(ngff, name)
        if not isinstance(node, ast.FunctionDef) or not inspect.isfunction(function):
            continue
        real = [p for p in inspect.signature(function).parameters.values()
                if p.kind is not inspect.Parameter.VAR_KEYWORD]
        assert parameters(node) == [
            (p.name, None if p.default is p.empty else p.default, p.default is not p.empty)
            for p in real], name
        assert all(arg.annotation for arg in node.args.args + node.args.kwonlyargs) and node.returns
        checked += 1
    assert checked > 20


def test_types_of_values():
    assert isinstance(ngff.__version__, str) and isinstance(ngff.library_info(), str)
    assert isinstance(ngff.config, ngff.NgffZarrConfig) and set(ngff.LPS) == set(ngff.RAS) == set("zyx")
    assert all(isinstance(text, str) for text in ngff.GLASBEY_COLORS)
