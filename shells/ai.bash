# shellcheck shell=bash

# Each of these gets the path of our program, then the word that was typed, then its arguments; `__ai_call` has prepared the shell.

# One run of a tool: settings in, plan, the engine's own command line, settings out.
function __ai_run() {
    # The owner is this process, which lives as long as the run: inside `$(…)` it would be the substitution.
    \builtin local __ai_bin="$1" __ai_session='' __ai_plan='' __ai_trap='' __ai_tty=none __ai_code=130 __ai_owner="${BASHPID:-$$}"
    \builtin local IFS=$' \t\n'
    \builtin shift
    if [[ "${2-}" == --native || "${2-}" == --local ]]; then
        __ai_plan="$("${__ai_bin}" resolve --shell bash -- "$@")" || \builtin return
        \builtin eval "${__ai_plan} && __ai_code=0 || __ai_code=\$?"
        \builtin return "${__ai_code}"
    fi
    if [[ -t 0 ]]; then
        __ai_tty=stdin
        if [[ -t 1 ]]; then __ai_tty=both; fi
    fi
    __ai_session="$("${__ai_bin}" sync in --owner "${__ai_owner}" --tty="${__ai_tty}" -- "$1")" || \builtin return
    case "${__ai_session}" in
        '' | *[!0-9a-f]*)
            \builtin printf '%s\n' "ai: cannot run $1: ${__ai_bin} is another program now; hint: install ai again, then start a new shell" >&2
            \builtin return 127
            ;;
    esac
    # While the tool has the terminal, Ctrl-C is for the tool: without a trap, bash would leave this function too.
    __ai_trap="$(\builtin trap -p INT)"
    \builtin trap : INT
    # The list is part of what is evaluated: around `builtin eval`, it would not keep `set -e` from ending the shell.
    if __ai_plan="$("${__ai_bin}" resolve --shell bash --session "${__ai_session}" --tty="${__ai_tty}" -- "$@")"; then
        \builtin eval "${__ai_plan} && __ai_code=0 || __ai_code=\$?"
    else
        __ai_code=$?
    fi
    "${__ai_bin}" sync out --code "${__ai_code}" -- "${__ai_session}" || \builtin true
    \builtin trap - INT
    if [[ -n "${__ai_trap}" ]]; then \builtin eval "${__ai_trap}"; fi
    \builtin return "${__ai_code}"
}

# A word that the program itself understands, with this shell's default tool.
function __ai_word() {
    AI_TOOL="${AI_TOOL-}" "$1" word "$2" -- "${@:3}"
}

# The tool that the words are for; the default one where nothing says so.
function __ai_default() {
    \builtin local __ai_tool=''
    __ai_tool="$(AI_TOOL="${AI_TOOL-}" "$1" route -- "${@:3}")" || \builtin return
    __ai_run "$1" "${__ai_tool}" "${@:3}"
}

# Only a function can set a variable of its shell. It is not exported.
function __ai_mode() {
    \builtin local __ai_tool=''
    if [[ $# -ne 3 || "$3" == help || "$3" == -h || "$3" == --help ]]; then
        __ai_word "$@"
        \builtin return
    fi
    __ai_tool="$("$1" use --name -- "$3")" || \builtin return
    AI_TOOL="${__ai_tool}"
}

# Whether the text of an alias leads to a function of ours.
function __ai_leads() {
    \builtin local __ai_word='' IFS=$' \t\n'
    for __ai_word in ${1//[*?[]/}; do
        case "${__ai_word}" in
            *=* | time | -) ;;
            *) case " ai __ai_call ${__ai_held[*]-} " in *" ${__ai_word#\\} "*) \builtin return 0 ;; *) \builtin return 1 ;; esac ;;
        esac
    done
    \builtin return 1
}

# What a line behind ours made of the tools' words: an alias that leads to a function of ours stays, all else would run the tool on the
# host.
function __ai_hold() {
    \builtin local __ai_name='' __ai_text='' IFS=$' \t\n'
    for __ai_name in "${__ai_held[@]}"; do
        __ai_text="${BASH_ALIASES[${__ai_name}]-}"
        if [[ -n "${__ai_text}" ]]; then
            __ai_leads "${__ai_text}" && \builtin continue
        else
            __ai_text="$(\builtin declare -f -- "${__ai_name}")"
            case "${__ai_text}" in *__ai_* | *'ai run '*) \builtin continue ;; esac
        fi
        __ai_new=1
        __ai_take "${__ai_name}" __ai_run "${__ai_name#"${__ai_prefix}"}"
        \builtin printf '%s\n' "ai: a line behind the one that loads ai made ${__ai_name} run without its container; it has one again; hint: ai doctor shell bash" >&2
    done
}

# A manifest that came after this shell.
function __ai_meet() {
    \builtin local __ai_name="${__ai_prefix}$2"
    case "$2" in '' | [!a-z]* | *[!a-z0-9_-]* | exec | ai | docker | podman | nerdctl | container) \builtin return ;; esac
    case "$(\builtin type -t -- "$2" "${__ai_name}")" in *builtin* | *keyword*) \builtin return ;; esac
    __ai_take "${__ai_name}" __ai_run "$2"
    __ai_held+=("${__ai_name}")
    \builtin printf '%s\n' "ai: ${__ai_name} is a tool now and runs in its container, in this shell too" >&2
}
