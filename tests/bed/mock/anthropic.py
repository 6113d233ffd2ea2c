"""The Messages API: plain and streamed."""

import json

import prompt
import usage


def reply(body):
    """The content blocks and stop reason for a request."""
    text, output = _heard(body.get("messages", []))
    prompt.hold(text)
    command = prompt.command(text)
    if command and output is None and any(tool.get("name") == "Bash" for tool in body.get("tools", [])):
        use = {"type": "tool_use", "id": "toolu_mock", "name": "Bash", "input": {"command": command, "description": "Run it"}}
        return use, "tool_use"
    return {"type": "text", "text": prompt.answer("anthropic", text, output, body)}, "end_turn"


def message(body, block, stop_reason):
    return {
        "id": f"msg_mock_{usage.number()}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model", "mock"),
        "content": [block] if block else [],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage.anthropic(),
    }


def events(body, block, stop_reason):
    """The stream as (event, data) pairs."""
    yield "message_start", {"type": "message_start", "message": message(body, None, None)}
    if block["type"] == "text":
        start, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
    else:
        start, delta = {**block, "input": {}}, {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": start}
    yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}
    yield "content_block_stop", {"type": "content_block_stop", "index": 0}
    stop = {"stop_reason": stop_reason, "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": stop, "usage": {"output_tokens": usage.OUTPUT}}
    yield "message_stop", {"type": "message_stop"}


def _heard(messages):
    """The user's last own text, and what a tool printed if that came after it."""
    text, output = "", None
    for message_ in messages:
        if message_.get("role") != "user":
            continue
        content = message_["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for block in blocks:
            if block.get("type") == "text" and not block["text"].lstrip().startswith("<system-reminder>"):
                text, output = block["text"], None
            elif block.get("type") == "tool_result":
                output = _text(block.get("content", ""))
    return text, output


def _text(content):
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
