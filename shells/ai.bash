# One run of a tool: settings in, plan, the engine's own command line, settings out.
function __ai_run() {
    \builtin local __ai_session='' __ai_plan='' __ai_trap='' __ai_tty='' __ai_code=130 __ai_owner="${BASHPID:-$$}" IFS=$' \t\n'
    if [[ ! -x "${__ai_bin}" ]]; then
        \builtin printf '%s\n' "ai: cannot run $1: ${__ai_bin} is gone; hint: install ai again, or start a new shell" >&2
        \builtin return 127
    fi
    if [[ "${2-}" == --native || "${2-}" == --local ]]; then
        __ai_plan="$("${__ai_bin}" resolve --shell bash -- "$@")" || \builtin return
        \builtin eval "${__ai_plan}"
        \builtin return
    fi
    if [[ -t 0 && -t 1 ]]; then __ai_tty=--tty; fi
    __ai_session="$("${__ai_bin}" sync in --owner "${__ai_owner}" -- "$1")" || \builtin return
    # While the tool has the terminal, Ctrl-C is for the tool: without a trap, bash would leave this function too.
    __ai_trap="$(\builtin trap -p INT)"
    \builtin trap : INT
    __ai_plan="$("${__ai_bin}" resolve --shell bash --session "${__ai_session}" ${__ai_tty:+"${__ai_tty}"} -- "$@")" \
        && \builtin eval "${__ai_plan}" && __ai_code=0 || __ai_code=$?
    "${__ai_bin}" sync out --code "${__ai_code}" -- "${__ai_session}" || \builtin true
    \builtin trap - INT
    if [[ -n "${__ai_trap}" ]]; then \builtin eval "${__ai_trap}"; fi
    \builtin return "${__ai_code}"
}
