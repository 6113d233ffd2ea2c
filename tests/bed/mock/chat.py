"""The Chat Completions API, which most servers of local models speak, too."""

import json
import re

import prompt
import usage

SHELLS = re.compile(r"bash|shell|command|exec|terminal|run", re.I)
# What tools put beside the words of a person.
BESIDE = ("<system-reminder", "<env", "<cwd", "<git")
USUAL = {"string": "Run it", "boolean": False, "number": 60000, "integer": 60000, "array": []}


def reply(body):
    """The message that answers a request, and why it ends."""
    text, output = _heard(body.get("messages", []))
    prompt.hold(text)
    command = prompt.command(text)
    call = _call(body, command) if command and output is None else None
    if call:
        function = {"name": call[0], "arguments": json.dumps(call[1])}
        return {"role": "assistant", "content": None, "tool_calls": [{"index": 0, "id": f"call_{usage.number()}", "type": "function", "function": function}]}, "tool_calls"
    return {"role": "assistant", "content": prompt.answer("chat", text, output, body)}, "stop"


def _call(body, command):
    """The function that runs a command, with what it must be told beside it."""
    for tool in body.get("tools") or []:
        function = tool.get("function", {})
        schema = function.get("parameters") or {}
        properties = schema.get("properties") or {}
        key = next((key for key in ("command", "cmd", "commands") if key in properties), None)
        if key and SHELLS.search(function.get("name", "")):
            others = {name: USUAL.get(properties.get(name, {}).get("type"), "Run it") for name in schema.get("required", []) if name != key}
            return function["name"], {key: [command] if properties[key].get("type") == "array" else command, **others}
    return None


def _heard(messages):
    text, output = "", None
    for message in messages:
        content = message.get("content") or ""
        parts = [content] if isinstance(content, str) else [part.get("text", "") for part in content if isinstance(part, dict)]
        if message.get("role") == "user":
            said = [part for part in parts if part.strip() and not part.lstrip().startswith(BESIDE)]
            text, output = (said[-1], None) if said else (text, output)
        elif message.get("role") == "tool":
            output = "".join(parts)
    return text, output


def _head(body, kind):
    return {"id": f"chatcmpl-{usage.number()}", "object": kind, "created": 1, "model": body.get("model", "mock")}


def _usage():
    counted = usage.openai()
    return {"prompt_tokens": counted["input_tokens"], "completion_tokens": counted["output_tokens"], "total_tokens": counted["total_tokens"]}


def completion(body, message, stop):
    return {**_head(body, "chat.completion"), "choices": [{"index": 0, "message": message, "finish_reason": stop, "logprobs": None}], "usage": _usage()}


def events(body, message, stop):
    head = _head(body, "chat.completion.chunk")
    part = lambda delta, reason: (None, {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})  # noqa: E731
    yield part({"role": "assistant", "content": ""}, None)
    yield part({key: value for key, value in message.items() if key != "role" and value is not None}, None)
    yield part({}, stop)
    if (body.get("stream_options") or {}).get("include_usage"):
        yield None, {**head, "choices": [], "usage": _usage()}
