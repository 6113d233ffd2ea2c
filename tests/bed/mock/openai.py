"""The Responses API as codex streams it."""

import json

import prompt
import usage


def reply(body):
    """The one output item that answers a request."""
    text, output = _heard(body.get("input", []))
    prompt.hold(text)
    command = prompt.command(text)
    call = _call(body, command) if command and output is None else None
    if call:
        return {"id": "fc_mock", "call_id": "call_mock", **call}
    content = [{"type": "output_text", "text": prompt.answer("openai", text, output, body), "annotations": []}]
    return {"type": "message", "id": "item_mock", "role": "assistant", "status": "completed", "content": content}


def _call(body, command):
    """The tool call that runs a command, in whichever of codex's dialects the request offers."""
    added = [tool for item in body["input"] if item.get("type") == "additional_tools" for tool in item["tools"]]
    if any(inner.get("name") == "exec" for space in added for inner in space.get("tools", [])):
        source = f"text(await tools.exec_command({json.dumps({'cmd': command})}))"
        return {"type": "custom_tool_call", "name": "exec", "namespace": "functions", "input": source}
    names = {tool.get("name") for tool in body.get("tools", [])}
    for name, arguments in (("exec_command", {"cmd": command}), ("shell_command", {"command": command}), ("shell", {"command": ["sh", "-c", command]})):
        if name in names:
            return {"type": "function_call", "name": name, "arguments": json.dumps(arguments)}
    return None


def response(body, items, status):
    head = {"id": f"resp_mock_{usage.number()}", "object": "response", "status": status, "model": body.get("model", "mock")}
    return {**head, "output": items, "usage": usage.openai()}


def events(body, item):
    yield "response.created", {"type": "response.created", "response": response(body, [], "in_progress")}
    yield "response.output_item.added", {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []} if item["type"] == "message" else item}
    if item["type"] == "message":
        text = item["content"][0]["text"]
        delta = {"type": "response.output_text.delta", "item_id": item["id"], "output_index": 0, "content_index": 0, "delta": text}
        yield "response.output_text.delta", delta
    yield "response.output_item.done", {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield "response.completed", {"type": "response.completed", "response": response(body, [item], "completed")}


def _heard(items):
    text, output = "", None
    if isinstance(items, str):
        return items, None
    for item in items:
        if item.get("type", "message") == "message" and item.get("role") == "user":
            for part in item.get("content", []):
                if part.get("type") == "input_text" and not part["text"].lstrip().startswith("<"):
                    text, output = part["text"], None
        elif item.get("type") in ("function_call_output", "custom_tool_call_output"):
            parts = item["output"]
            output = parts if isinstance(parts, str) else "".join(part.get("text", "") for part in parts)
    return text, output
