# shellcheck shell=bash

# What the functions of people's words call: a function of the library, the path of our program, the word, its arguments. The
# library comes from the program when it is first needed. If our program is gone, nothing may run, least of all the tool without
# its container.
# What a DEBUG trap or a trace of the shell prints inside `$(…)` would be taken for what our program says, and `set -k` takes
# `name=value` away from `local`: all of them end here where bash can give them back (4.4).
function __ai_call() {
    \builtin local - 2>/dev/null && \builtin set +kxT
    \builtin local __ai_text=''
    if [[ -x "$2" ]]; then
        \builtin declare -F __ai_run >/dev/null || __ai_text="$("$2" init bash --library)" || \builtin true
        if [[ "${__ai_text}" == *'# ai is whole' ]]; then \builtin eval "${__ai_text}"; fi
        if \builtin declare -F __ai_run >/dev/null; then
            "$@"
            \builtin return
        fi
    fi
    \builtin printf '%s\n' "ai: cannot run $3: $2 is gone, may not be executed, or is another program; hint: install ai again, then start a new shell" >&2
    \builtin return 127
}

# Gives the word $1 a function: the function $2 of the library, with the subject $3. Copied without the rest, as into another shell,
# it is still the same run. Where bash has no function of that name to give (one that is read-only, a name that POSIX forbids), an
# alias does it.
function __ai_take() {
    \builtin local __ai_path='' __ai_text='' __ai_body=''
    \builtin printf -v __ai_path %q "${__ai_bin}"
    __ai_text="__ai_call $2 ${__ai_path} $3"
    __ai_body="${__ai_text} \"\$@\""
    if [[ "$2" == __ai_run ]]; then
        __ai_body="if \\builtin declare -F __ai_call >/dev/null; then ${__ai_body}; else ${__ai_path} run $3 -- \"\$@\"; fi"
    fi
    \builtin unalias "$1" 2>/dev/null || \builtin true
    if [[ ! -o posix || "$1" != *-* ]] && \builtin eval "function $1 { ${__ai_body}; }" 2>/dev/null; then \builtin return; fi
    # shellcheck disable=SC2139
    \builtin alias "$1=${__ai_text}"
}
