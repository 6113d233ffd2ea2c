"""generateContent and streamGenerateContent, bare or wrapped as Code Assist wraps them."""

import prompt


def reply(body):
    text, output = _heard(body.get("contents", []))
    prompt.hold(text)
    command = prompt.command(text)
    names = {f.get("name") for tool in body.get("tools") or [] for f in tool.get("functionDeclarations", [])}
    if command and output is None and "run_shell_command" in names:
        part = {"functionCall": {"name": "run_shell_command", "args": {"command": command}}}
    else:
        part = {"text": prompt.answer("gemini", text, output)}
    return {
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
        "modelVersion": "mock",
    }


def _heard(contents):
    text, output = "", None
    for content in contents:
        if content.get("role") == "model":
            continue
        for part in content.get("parts", []):
            if part.get("text"):
                text, output = part["text"], None
            elif "functionResponse" in part:
                output = str(part["functionResponse"].get("response", {}).get("output", ""))
    return text, output


# What Code Assist must say before it serves a login: a tier, and the project that comes with it.
CODE_ASSIST = {
    "loadCodeAssist": {
        "currentTier": {"id": "standard-tier", "name": "mock"},
        "allowedTiers": [{"id": "standard-tier", "name": "mock", "isDefault": True}],
        "cloudaicompanionProject": "mock-project",
    },
    "onboardUser": {"done": True, "response": {"cloudaicompanionProject": {"id": "mock-project"}}},
}
