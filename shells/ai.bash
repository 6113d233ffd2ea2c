# shellcheck shell=bash

# Each of these gets the path of our program, then the word that was typed, then its arguments.

# Whether our program is still there: if not, nothing may run, least of all the tool without its container.
function __ai_found() {
    if [[ -x "$1" ]]; then \builtin return 0; fi
    if [[ -e "$1" ]]; then
        \builtin printf '%s\n' "ai: cannot run $2: $1 may not be executed; hint: chmod +x $1" >&2
        \builtin return 127
    fi
    \builtin printf '%s\n' "ai: cannot run $2: $1 is gone; hint: install ai again, then start a new shell" >&2
    \builtin return 127
}

# What a DEBUG trap or a trace of the shell prints inside `$(…)` would be taken for what our program says, and `set -k` takes
# `name=value` away from `local`: all of them end here where bash can give them back (4.4).

# One run of a tool: settings in, plan, the engine's own command line, settings out.
function __ai_run() {
    \builtin local - 2>/dev/null && \builtin set +kxT
    # The owner is this process, which lives as long as the run: inside `$(…)` it would be the substitution.
    \builtin local __ai_bin="$1" __ai_session='' __ai_plan='' __ai_trap='' __ai_tty=none __ai_code=130 __ai_owner="${BASHPID:-$$}"
    \builtin local IFS=$' \t\n'
    __ai_found "$1" "$2" || \builtin return
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
    __ai_found "$1" "$2" || \builtin return
    AI_TOOL="${AI_TOOL-}" "$1" word "$2" -- "${@:3}"
}

# The default tool.
function __ai_default() {
    \builtin local - 2>/dev/null && \builtin set +kxT
    \builtin local __ai_tool=''
    __ai_found "$1" "$2" || \builtin return
    __ai_tool="$(AI_TOOL="${AI_TOOL-}" "$1" use --quiet)" || \builtin return
    __ai_run "$1" "${__ai_tool}" "${@:3}"
}

# Only a function can set a variable of its shell. It is not exported.
function __ai_mode() {
    \builtin local - 2>/dev/null && \builtin set +kxT
    \builtin local __ai_tool=''
    if [[ $# -ne 3 || "$3" == help || "$3" == -h || "$3" == --help ]]; then
        __ai_word "$@"
        \builtin return
    fi
    __ai_found "$1" "$2" || \builtin return
    __ai_tool="$("$1" use --name -- "$3")" || \builtin return
    AI_TOOL="${__ai_tool}"
}

# Whether the text of an alias leads to a function of ours.
function __ai_leads() {
    \builtin local __ai_word='' IFS=$' \t\n'
    for __ai_word in ${1//[*?[]/}; do
        case "${__ai_word}" in
            *=* | time | -) ;;
            *) case " ai ${__ai_held[*]-} " in *" ${__ai_word#\\} "*) \builtin return 0 ;; *) \builtin return 1 ;; esac ;;
        esac
    done
    \builtin return 1
}

# What a line behind ours made of the tools' words, before each prompt: an alias that leads to a function of ours stays, all else would
# run the tool on the host. Aliases have no names that bash 3 could tell. Reading a function takes a process, so they are read before
# the first prompt, and from then on only if one had been replaced: what did that may do it again.
function __ai_look() {
    \builtin local __ai_code=$? __ai_name='' __ai_text='' __ai_again=''
    \builtin local - 2>/dev/null && \builtin set +kxTef
    for __ai_name in "${__ai_held[@]}"; do
        __ai_text="${BASH_ALIASES[${__ai_name}]-}"
        if [[ -n "${__ai_text}" ]]; then
            __ai_leads "${__ai_text}" && \builtin continue
        elif [[ -n "${__ai_new-}" ]] || ! \builtin declare -F -- "${__ai_name}" >/dev/null; then
            __ai_text="$(\builtin declare -f -- "${__ai_name}")"
            case "${__ai_text}" in *__ai_* | *'ai run '*) \builtin continue ;; esac
        else
            \builtin continue
        fi
        __ai_again=1
        __ai_take "${__ai_name}"
        \builtin printf '%s\n' "ai: a line behind the one that loads ai made ${__ai_name} run without its container; it has one again; hint: ai doctor shell bash" >&2
    done
    __ai_new="${__ai_again}"
    __ai_meet
    \builtin return "${__ai_code}"
}

# Gives a word the function that runs its tool.
function __ai_take() {
    \builtin unalias -- "$1" 2>/dev/null
    \builtin eval "function $1 { __ai_run \"\${__ai_bin}\" ${1#"${__ai_prefix}"} \"\$@\"; }"
}

# Manifests that came after this shell: words that would run the tools on the host, where there are any.
function __ai_meet() {
    \builtin local __ai_name='' IFS=$' \t\n'
    # Where nothing matches, this option is an error.
    if [[ -z "${__ai_tools}" || ! -d "${__ai_tools}" ]] || \builtin shopt -q failglob; then \builtin return; fi
    for __ai_name in "${__ai_tools}"/*.toml; do
        __ai_name="${__ai_name##*/}"
        __ai_name="${__ai_name%.toml}"
        case "${__ai_name}" in '' | [!a-z]* | *[!a-z0-9_-]* | exec | ai | docker | podman | nerdctl | container) \builtin continue ;; esac
        if \builtin declare -F -- "${__ai_prefix}${__ai_name}" >/dev/null; then \builtin continue; fi
        case "$(\builtin type -t -- "${__ai_name}" "${__ai_prefix}${__ai_name}")" in *builtin* | *keyword*) \builtin continue ;; esac
        __ai_name="${__ai_prefix}${__ai_name}"
        __ai_take "${__ai_name}"
        __ai_held+=("${__ai_name}")
        \builtin printf '%s\n' "ai: ${__ai_name} is a tool now and runs in its container, in this shell too" >&2
    done
}

# A variable that cannot be changed is none of ours to change. From bash 5.1 on, a line that sets it anew sets the first of several
# commands, so ours is far behind.
function __ai_watch() {
    \builtin local PROMPT_COMMAND 2>/dev/null || \builtin return
    case " ${PROMPT_COMMAND[*]-} " in *__ai_look*) \builtin return 1 ;; esac
}
