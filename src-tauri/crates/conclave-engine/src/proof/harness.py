"""Runs one function of a project's file with prepared inputs, or a file of tests, and writes down what it did.

Conclave starts this in its sandbox, on a scratch copy. It judges nothing: it reports what was seen, and Conclave decides
outside. Its one argument is the path of a description in JSON, which it removes before any of the project's code runs.
Each line that it writes begins with the description's nonce: what the code prints is not taken for a report.
"""

import asyncio
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import io
import json
import os
import random
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import types
import unittest
from pathlib import Path, PurePath

LONGEST = 4000
FOLDER = Path("/tmp/conclave-proof")
FILE = FOLDER / "pear.txt"
MARKER = FOLDER / "marker"


class Unavailable(Exception):
    """Why nothing can be seen here, in words."""


class Seen:
    """What one call did."""

    def __init__(self):
        lists = ("html", "statements", "calls", "runs", "missing", "told", "shown")
        self.facts = {"rows": 0, **{name: [] for name in lists}}
        self.children = []
        self.database = None


seen = Seen()
given = {"value": "", "known": "", "content": False}


class Text(str):
    """A text that also answers as the object or the mapping that it is taken out of."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Text(self)

    def __call__(self, *_, **__):
        return Text(self)

    def __getitem__(self, key):
        return Text(self) if isinstance(key, str) else str.__getitem__(self, key)


class Mapping(dict):
    """A mapping that holds the same value under every key."""

    def __missing__(self, _):
        return self.text

    def get(self, _, default=None):
        return self.text

    def __init__(self, text):
        super().__init__()
        self.text = Text(text)


class Answer:
    """What a call to the outside gives back: nothing in it, and content with everything."""

    status_code = 200
    ok = True
    text = ""
    content = b""

    def __init__(self, *_, module="", **__):
        self._module = module

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *arguments, **_):
        decorates = len(arguments) == 1 and (inspect.isfunction(arguments[0]) or inspect.isclass(arguments[0]))
        return arguments[0] if decorates else self

    def __getitem__(self, _):
        return self

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0

    def __bool__(self):
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def __repr__(self):
        return "answer"


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for libraries that are not installed here."""

    def __init__(self):
        self.names = set()
        # Those for which a stand-in was asked for.
        self.wanted = set()

    def find_spec(self, name, *_):
        if name.partition(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        top = spec.name.partition(".")[0]

        class Module(types.ModuleType):
            _module = top

            def __getattr__(self, name):
                if name.startswith("__"):
                    raise AttributeError(name)
                return (lambda *_, **__: database()) if name == "connect" else Answer(module=top)

        return Module(spec.name)

    def exec_module(self, _):
        pass


absent = Absent()


class Connection(sqlite3.Connection):
    """A database in memory that makes the tables and columns it is asked for, each with two rows."""

    def cursor(self, *_):
        return super().cursor(Cursor)

    def execute(self, sql, parameters=()):
        return self.cursor().execute(sql, parameters)

    def provide(self, message):
        """Makes what an error says is missing."""
        plain = super().cursor()
        table = re.fullmatch(r"no such table: (?:\w+\.)?(.+)", message)
        column = re.fullmatch(r"no such column: (?:\w+\.)?(.+)|table \S+ has no column named (.+)", message)
        if table:
            name = table[1].replace('"', '""')
            plain.execute(f'CREATE TABLE "{name}" ("made for the proof")')
            plain.execute(f'INSERT INTO "{name}" VALUES (NULL), (NULL)')
        elif column:
            self.add_column(plain, column[1] or column[2])
        return bool(table or column)

    def add_column(self, plain, name):
        counts = re.search(r"(price|cents|quantity|count|total|amount|size|age)$", name.lower())
        values = (1, 2) if counts else (given["known"], "another row")
        quoted = name.replace('"', '""')
        for (table,) in plain.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            table = table.replace('"', '""')
            try:
                plain.execute(f'ALTER TABLE "{table}" ADD COLUMN "{quoted}"')
            except sqlite3.OperationalError:
                continue
            for row, value in enumerate(values, 1):
                plain.execute(f'UPDATE "{table}" SET "{quoted}" = ? WHERE rowid = ?', (value, row))


class Cursor(sqlite3.Cursor):
    """Counts the rows that a statement reads or changes."""

    def execute(self, sql, parameters=()):
        sql = translated(sql) if parameters else sql
        self.run(sql, parameters)
        seen.facts["statements"].append(sql)
        if self.description is not None and re.match(r"\s*(SELECT|WITH)\b", sql, re.I):
            seen.facts["rows"] += len(self.fetchall())
            self.run(sql, parameters)
        elif re.match(r"\s*(UPDATE|DELETE)\b", sql, re.I):
            seen.facts["rows"] += self.rowcount
        return self

    def run(self, sql, parameters):
        for _ in range(100):
            try:
                super().execute(sql, parameters)
                return
            except sqlite3.OperationalError as error:
                if not self.connection.provide(str(error)):
                    raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


def translated(sql):
    """The placeholders of other drivers in SQLite's form."""
    for form, ours in ((r"%\((\w+)\)s", r":\1"), (r"%s", "?"), (r"%%", "%"), (r"(?<!:)[:$](\d+)", r"?\1")):
        sql = re.sub(form, ours, sql)
    return sql


connect = sqlite3.connect


def database(*_, **__):
    if seen.database is None:
        seen.database = connect(":memory:", factory=Connection, isolation_level=None)
        seen.database.row_factory = sqlite3.Row
    return seen.database


def watch_processes():
    """Lets programs run, and writes down which."""
    begin, system = subprocess.Popen.__init__, os.system

    def note(command, shell):
        if shell:
            text = command if isinstance(command, (str, bytes)) else command[0]
            words = shell_words(os.fsdecode(text))
        else:
            words = [os.fsdecode(word) for word in ([command] if isinstance(command, (str, bytes)) else command)]
        seen.facts["runs"].append(words)
        if words and shutil.which(words[0]) is None:
            seen.facts["missing"].append(words[0])

    def start(self, args, *rest, **options):
        note(args, options.get("shell") or (len(rest) > 7 and rest[7]))
        begin(self, args, *rest, **options)
        seen.children.append(self)

    def run_shell(command):
        note(command, True)
        return system(command)

    subprocess.Popen.__init__ = start
    os.system = run_shell


def shell_words(text):
    try:
        return shlex.split(text)
    except ValueError:
        return [text]


def watch_calls(watches):
    """Writes down each call of the named functions; it is made only where its real answer is wanted."""
    for watched in watches:
        module_name, _, name = watched["name"].rpartition(".")
        try:
            module = importlib.import_module(module_name)
        except ImportError:
            if watched["answer"] == "real":
                continue
            absent.names.add(module_name.partition(".")[0])
            module = importlib.import_module(module_name)
        real = getattr(module, name, None) if watched["answer"] == "real" else Answer(module=module_name.partition(".")[0])
        if real is not None:
            setattr(module, name, recorded(watched["name"], real))


def recorded(name, real):
    def call(*arguments, **keywords):
        texts = {str(place): plain(value) for place, value in enumerate(arguments)}
        texts.update((key, plain(value)) for key, value in keywords.items())
        seen.facts["calls"].append({"name": name, "arguments": texts})
        return real if isinstance(real, Answer) else real(*arguments, **keywords)

    return call


def plain(value, depth=6):
    """A value as text that two runs can be compared by."""
    if depth == 0:
        return "..."
    inner = depth - 1
    if isinstance(value, Answer):
        text = "answer"
    elif value is None or type(value) in (bool, int, float, bytes, bytearray):
        text = repr(value)
    elif isinstance(value, (str, PurePath)):
        text = repr(str(value))
    elif isinstance(value, dict):
        text = "{" + ", ".join(f"{plain(key, inner)}: {plain(item, inner)}" for key, item in value.items()) + "}"
    elif isinstance(value, (set, frozenset)):
        text = "{" + ", ".join(sorted(plain(item, inner) for item in value)) + "}"
    elif isinstance(value, (list, tuple, sqlite3.Row)):
        text = "[" + ", ".join(plain(item, inner) for item in value) + "]"
    else:
        text = type(value).__name__
        if isinstance(getattr(value, "__dict__", None), dict) and type(value).__module__ not in sys.stdlib_module_names:
            text += plain(dict(vars(value)), inner)
    return text[:LONGEST]


def argument(name, kind, tainted):
    """What a parameter gets, by its name and its annotation."""
    name = name.lower()
    if re.search(r"(^|_)(conn|connection|db|database)$", name) or "Connection" in kind:
        return database()
    if re.search(r"(^|_)(cur|cursor)$", name) or "Cursor" in kind:
        return database().cursor()
    if re.search(r"(^|_)(callback|cb|done|start_response)$", name) or "Callable" in kind:
        return lambda *arguments: seen.facts["told"].append(plain(arguments))
    value = given["value"] if tainted or name in ("request", "req") else "other"
    if given["content"] and tainted and re.search(r"(^|_)(stream|handle|fp|fh|f)$", name):
        return FILE.open()
    if given["content"] and tainted and ("Path" in kind or re.search(r"(^|_)(path|file|file_?name)$", name)):
        value = str(FILE)
    if "Path" in kind:
        return Path(value)
    if re.match(r"(list|tuple|set|List|Sequence|Iterable|Iterator|Collection)\b", kind):
        return [Mapping(value) if "dict" in kind.lower() else Text(value)]
    if re.match(r"(dict|Dict|Mapping)\b", kind):
        return Mapping(value)
    if kind in ("bytes", "bytearray"):
        return value.encode()
    if tainted:
        return Text(value)
    if kind == "bool":
        return True
    if kind in ("int", "float") or re.search(r"(^|_)(count|quantity|limit|size|number|port|timeout|id)$", name):
        return 1
    return Text(value)


def arguments(function, reach):
    """Values for the parameters that need one, and for all that the finding depends on."""
    positional, keywords = [], {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        tainted = parameter.name in reach
        has_default = parameter.default is not parameter.empty
        if has_default and not tainted:
            continue
        kind = parameter.annotation
        kind = "" if kind is parameter.empty else kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
        value = argument(parameter.name, kind, tainted)
        if parameter.kind is parameter.POSITIONAL_ONLY or not has_default and parameter.kind is not parameter.KEYWORD_ONLY:
            positional.append(value)
        else:
            keywords[parameter.name] = value
    return positional, keywords


def instance(owner):
    """An object of the class that was never initialised; what it lacks is made as for a parameter."""

    def missing(_, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return argument(name, "", True)

    return type(owner.__name__, (owner,), {"__init__": lambda _: None, "__getattr__": missing})()


def found(module, target):
    """The function of the finding, ready to be called; None where the finding is in the file's own lines."""
    if target["function"] is None:
        return None
    owner = module
    if target["class"] is not None:
        cls = getattr(module, target["class"], None)
        if not inspect.isclass(cls):
            raise Unavailable(f"the file has no class `{target['class']}` when it is loaded")
        owner = instance(cls)
    function = inspect.getattr_static(owner, target["function"], None)
    function = function and getattr(owner, target["function"])
    if not callable(function) or isinstance(function, Answer):
        raise Unavailable(f"the file has no function `{target['function']}` when it is loaded")
    needs_installed(inspect.unwrap(function))
    return function


def needs_installed(function):
    """Refuses a function that uses a library for which there is only a stand-in that nobody asked for."""
    code, values = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    waiting = [code] if code else []
    while waiting:
        code = waiting.pop()
        waiting.extend(constant for constant in code.co_consts if isinstance(constant, types.CodeType))
        for name in code.co_names:
            library = values.get(name)
            module = getattr(library, "_module", "") if isinstance(library, (Answer, types.ModuleType)) else ""
            if module and module not in absent.wanted:
                raise Unavailable(f"`{module}` is not installed here, and the function uses it")


def load(file):
    """The project's file as a module; libraries that are missing are stood in for."""
    path = Path(file).resolve()
    top, names = path.parent, [path.stem]
    while (top / "__init__.py").exists():
        names.insert(0, top.name)
        top = top.parent
    sys.path[:0] = [str(top), os.getcwd(), str(Path("src").resolve())]
    name = ".".join(names)
    while True:
        before = set(sys.modules)
        try:
            if name in sys.modules or not all(part.isidentifier() for part in names):
                spec = importlib.util.spec_from_file_location("conclave_subject", path)
                module = importlib.util.module_from_spec(spec)
                sys.modules[spec.name] = module
                spec.loader.exec_module(module)
            else:
                module = importlib.import_module(name)
            return module
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            is_ours = any(Path(folder, missing).exists() for folder in sys.path[:3])
            if not missing or missing in absent.names or is_ours:
                raise Unavailable(f"the file cannot be loaded: {error}") from None
            absent.names.add(missing)
            for loaded in set(sys.modules) - before:
                del sys.modules[loaded]
        except BaseException as error:
            raise Unavailable(f"the file cannot be loaded: {type(error).__name__}: {error}"[:300]) from None


def settled(result):
    """The result itself, where a call hands back something that still has to run."""
    if inspect.iscoroutine(result):
        return asyncio.run(asyncio.wait_for(result, 5))
    if inspect.isgenerator(result):
        return [item for item, _ in zip(result, range(100))]
    return result


def keys(function):
    """A document with every key that the function may look for."""
    constants = getattr(getattr(function, "__code__", None), "co_consts", ())
    return json.dumps({text: "pear" for text in constants if isinstance(text, str) and text.isidentifier()})


def observe(function, reach, value, seed):
    """Calls the function once with `value`."""
    global seen
    seen = Seen()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    value = value.replace("{file}", str(FILE)).replace("{marker}", str(MARKER)).replace("{keys}", keys(function))
    FILE.write_text(value if given["content"] else "a pear\n")
    os.utime(FILE, (10**9, 10**9))
    given["value"] = value
    sys.stdout = io.StringIO()
    facts, result = seen.facts, None
    facts.update(raised=None, message="")
    random.seed(seed)
    try:
        if function is not None:
            positional, keywords = arguments(function, reach)
            result = settled(function(*positional, **keywords))
    except BaseException as error:
        facts.update(raised=type(error).__name__, message=str(error)[:300])
    for child in seen.children:
        try:
            child.wait(2)
        except subprocess.TimeoutExpired:
            child.kill()
    facts["returned"], facts["kind"] = plain(result), type(result).__name__
    facts["printed"], sys.stdout = sys.stdout.getvalue()[:LONGEST], io.StringIO()
    facts["marker"] = MARKER.exists()
    facts["files"] = sorted(f"{path.name} {path.stat().st_size}" for path in FOLDER.iterdir() if path != MARKER)
    return facts


def run_function(task, report):
    watch_processes()
    watch_calls(task["watch"])
    absent.wanted = set(absent.names)
    sqlite3.connect = database
    module_seen = seen
    module = load(task["file"])
    function = found(module, task["target"])
    report({"loaded": True})
    for input_ in task["inputs"]:
        given.update(known=task["known"], content=task["content"])
        facts = observe(function, task["reach"], input_["value"], 1)
        if function is None:
            facts.update((name, module_seen.facts[name]) for name in ("calls", "runs", "missing", "statements"))
        if task["twice"]:
            facts["again"] = observe(function, task["reach"], input_["value"], 1)["returned"]
        report({"input": input_["name"], "facts": facts})


class Result(unittest.TestResult):
    """Writes down each test that ran."""

    def __init__(self, report):
        super().__init__()
        self.tell = lambda test, outcome, why="": report({"test": test.id(), "outcome": outcome, "why": why[-300:]})

    def addSuccess(self, test):
        self.tell(test, "passed")

    def addFailure(self, test, error):
        self.tell(test, "failed", str(error[1]))

    def addError(self, test, error):
        self.tell(test, "broken", f"{error[0].__name__}: {error[1]}")

    def addSkip(self, test, reason):
        self.tell(test, "skipped", reason)


def run_tests(task, report):
    module = load(task["file"])
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    for name, function in vars(module).items():
        if not name.startswith("test") or not inspect.isfunction(function):
            continue
        if inspect.signature(function).parameters:
            raise Unavailable(f"the test `{name}` needs fixtures")
        suite.addTest(unittest.FunctionTestCase(function))
    if absent.names:
        raise Unavailable(f"`{min(absent.names)}` is not installed here")
    report({"loaded": True})
    suite.run(Result(report))


def main():
    path = Path(sys.argv[1])
    task = json.loads(path.read_bytes())
    path.unlink()
    sys.argv = [task["file"]]
    # Programs that the code starts write to nowhere: this pipe is ours.
    out = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = io.StringIO()
    nonce, write, dumps = task.pop("nonce"), os.write, json.dumps

    def report(line):
        left = (nonce + dumps(line) + "\n").encode()
        while left:
            left = left[write(out, left) :]

    sys.meta_path.append(absent)
    try:
        (run_tests if task["tests"] else run_function)(task, report)
    except Unavailable as reason:
        report({"unavailable": str(reason)})
    report({"end": True})
    os._exit(0)


main()
