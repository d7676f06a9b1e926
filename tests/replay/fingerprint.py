"""The commands a workflow can issue, in the order in which they stand in its code.

Any change to them can break invoices that sleep: a changed fingerprint must come with `workflow.patched`, or with the
proof that no running invoice can notice (say which in the commit).
"""

from __future__ import annotations

import ast
import inspect

COMMANDS = {
    "execute_activity",
    "execute_activity_method",
    "execute_local_activity",
    "execute_child_workflow",
    "start_activity",
    "start_child_workflow",
    "sleep",
    "wait_condition",
    "upsert_search_attributes",
    "upsert_memo",
    "continue_as_new",
    "patched",
    "deprecate_patch",
    "signal_external_workflow",
    "uuid4",
    "random",
}
"""Calls of `temporalio.workflow` that write to the history, or whose result replay must find again."""


def fingerprint(workflow: type) -> list[str]:
    """`method: call(first argument) [timeout]` for each command of the class, in order."""
    tree = ast.parse(inspect.getsource(workflow))
    found = []
    for method in ast.walk(tree):
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            found += [f"{method.name}: {_told(call)}" for call in _calls(method)]
    return found


def _calls(method: ast.AST) -> list[ast.Call]:
    calls = [
        node
        for node in ast.walk(method)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (node.func.attr in COMMANDS or node.func.attr == "_take")
    ]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _told(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Attribute)
    first = ast.unparse(call.args[0]) if call.args and call.func.attr != "wait_condition" else ""
    timeout = " with timeout" if any(keyword.arg == "timeout" for keyword in call.keywords) else ""
    return f"{call.func.attr}({first}){timeout}"
