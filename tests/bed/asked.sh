# shellcheck shell=bash
# How each tool is asked, goes on with a conversation, and is logged in to.
# Sourced by `tests/tools`, never run; uses its `run`, `ours`, `typing`, `person` and `work`.
# shellcheck disable=SC2154,SC2034

# `ask TOOL PROMPT`, and `again TOOL PROMPT` in the conversation before: one run, one container.
ask() {
    case $1 in
        pi) run pi --model local/mock -p "$2" ;;
        opencode) said=$2 run opencode run --auto ;;
        copilot) run copilot --allow-all-tools -p "$2" ;;
        qwen) run qwen -y -p "$2" ;;
        kimi) run kimi -p "$2" ;;
        cline) run cline "$2" ;;
        kilo) said=$2 run kilo run --auto ;;
        aider) run aider --model openai/mock --yes-always --no-stream --no-pretty --message "$(to_aider "$2")" ;;
        vibe) run vibe --auto-approve -p "$2" ;;
        claude | gemini) by_account run "$1" -p "$2" ;;
        codex) by_account run codex exec --skip-git-repo-check "$2" ;;
    esac
}

again() {
    case $1 in
        pi) run pi -c --model local/mock -p "$2" ;;
        opencode) said=$2 run opencode run --auto -c ;;
        copilot) run copilot --allow-all-tools --continue -p "$2" ;;
        qwen) run qwen -c -y -p "$2" ;;
        kimi) run kimi -c -p "$2" ;;
        cline)
            id=$(session)
            typing=("${work}/type-in" "made-by-cline 1000" "$2" "mock-chat found ${2#FIND: }" --)
            run cline --id "${id}"
            ;;
        kilo) said=$2 run kilo run --auto -c ;;
        aider) run aider --model openai/mock --restore-chat-history --yes-always --no-stream --no-pretty --message "$2" ;;
        vibe) run vibe -c --auto-approve -p "$2" ;;
    esac
}

# The newest session of cline, which goes on only where its name is said, on a screen.
session() {
    run cline history --json | sed -n 's/^[^"]*"sessionId":"\([^"]*\)".*/\1/p' | head -n 1
}

# aider is not offered functions, so a person runs the command; behind each prompt it puts words of its own.
to_aider() {
    case $1 in
        RUN:*) printf '/run %s' "${1#RUN: }" ;;
        hello*) printf 'SAY: "mock-chat heard: %s"' "$1" ;;
        *) printf '%s' "$1" ;;
    esac
}

# `log_in TOOL`: by its own words, on a screen or with a code; by what its program keeps of an account, expired, where a browser would open.
log_in() {
    local login=${HOME}/.docker-ai-config/global_state/$1/shared/login
    case $1 in
        opencode)
            typing=("${work}/type-in" "Select provider" groq "API key" made-up "logged in to opencode" --)
            ours login opencode
            ;;
        copilot)
            typing=("${work}/type-in" "in plain text config file" y "logged in to copilot" --)
            by_account ours login copilot
            ;;
        cline) by_account ours login cline cline ;;
        kimi)
            ours login kimi
            # As if it were long ago.
            sed -i 's/"expires_at": [0-9]*/"expires_at": 1/' "${login}"/*.json
            ;;
        pi)
            expired openai-codex 500
            ours creds status pi
            ;;
    esac
}

# `expired NAME DELAY`: an account's login as a program keeps it under a name, expired, with a server that takes so long to renew it.
expired() {
    local login=${HOME}/.docker-ai-config/global_state/${tool}/shared/login
    "${person[@]}" mkdir -p "${login}"
    curl --silent --noproxy '*' --json "{\"tool\": \"codex\", \"expired\": true, \"delay_ms\": $2}" "${MOCK_URL}/__seed" |
        jq --arg name "$1" '.document.tokens | {($name): {type: "oauth", access: .access_token, refresh: .refresh_token, expires: 1, accountId: .account_id}}' |
        "${person[@]}" tee "${login}/auth.json" >/dev/null
}

# Runs with the maker's servers as those that know the model, and not with one of the person's own.
by_account() (
    unset "${!COPILOT_PROVIDER_@}" COPILOT_OFFLINE
    OPENCODE_CONFIG_CONTENT='{"model": "openai/gpt-6-sol", "small_model": "openai/gpt-6-sol"}'
    AI_PROXY=${MOCK_URL} AI_CA=${work}/ca.pem "$@"
)

# `on_login TOOL PROMPT`: a question that the login pays for, where there is one; else the key.
on_login() (
    case $1 in
        pi) AI_PROXY=${MOCK_URL} AI_CA=${work}/ca.pem run pi --model openai-codex/gpt-6-sol -p "$2" ;;
        copilot)
            by_account ask copilot "$2"
            ;;
        kimi)
            unset "${!KIMI_MODEL_@}"
            run kimi -p "$2"
            ;;
        opencode)
            # shellcheck disable=SC2030
            if [[ -n ${account-} ]]; then said=$2 && by_account run opencode run --auto; else ask "$@"; fi
            ;;
        *) ask "$@" ;;
    esac
)
