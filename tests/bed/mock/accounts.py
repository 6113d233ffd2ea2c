"""Accounts that tools log in to by a code: GitHub with Copilot's models, and Cline's."""

HOSTS = ("github.com", "api.github.com", "api.githubcopilot.com", "api.workos.com", "api.cline.bot")

# The user has already agreed when the program first asks.
DEVICE = {
    "device_code": "mock",
    "user_code": "MOCK-1234",
    "verification_uri": "https://github.com/login/device",
    "expires_in": 900,
    "interval": 1,
}
TOKEN = {"access_token": "gho_" + "mock" * 9, "token_type": "bearer", "scope": "read:user"}
USER = {"login": "mock", "id": 1}
ACCOUNT = {"login": "mock", "copilot_plan": "individual", "endpoints": {"api": "https://api.githubcopilot.com"}}
MODEL = {
    "id": "mock",
    "name": "mock",
    "object": "model",
    "vendor": "mock",
    "version": "1",
    "preview": False,
    "model_picker_enabled": True,
    "policy": {"state": "enabled"},
    "supported_endpoints": ["/chat/completions"],
    "billing": {"multiplier": 1, "is_premium": False},
    "capabilities": {
        "family": "mock",
        "object": "model_capabilities",
        "type": "chat",
        "tokenizer": "o200k_base",
        "limits": {"max_context_window_tokens": 131072, "max_output_tokens": 4096, "max_prompt_tokens": 100000},
        "supports": {"tool_calls": True, "streaming": True},
    },
}
CLINE_DEVICE = {**DEVICE, "verification_uri": "https://cline.example", "verification_uri_complete": "https://cline.example"}
CLINE_TOKEN = {"access_token": "mock-access", "refresh_token": "mock-refresh", "expires_in": 3600}
CLINE_ACCOUNT = {
    "accessToken": "mock-access",
    "refreshToken": "mock-refresh",
    "tokenType": "Bearer",
    "expiresAt": "2099-12-31T00:00:00Z",
    "userInfo": {"clineUserId": "usr-1", "email": "mock@example.com", "name": "mock", "subject": None, "accounts": []},
}
ANSWERS = (
    ("POST", r"/user_management/authorize/device", CLINE_DEVICE),
    ("POST", r"/user_management/authenticate", CLINE_TOKEN),
    ("POST", r"/api/v1/auth/register", {"success": True, "data": CLINE_ACCOUNT}),
    ("POST", r"/login/device/code", DEVICE),
    ("POST", r"/login/oauth/access_token", TOKEN),
    ("GET", r"/user", USER),
    ("GET", r"/copilot_internal/user", ACCOUNT),
    ("GET", r"/models", {"data": [MODEL]}),
)
