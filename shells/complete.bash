# shellcheck shell=bash disable=SC2154 # the template that includes this sets __ai_bin

# Completion: the program knows what may stand at a place. It is asked once for each place: the words before it, and whether an
# option is begun there; then this shell picks what fits, without another process.
__ai_places=()
__ai_answers=()
function __ai_complete() {
    \builtin local __ai_word="${COMP_WORDS[COMP_CWORD]-}" __ai_kind='' __ai_place='' __ai_answer='' __ai_at=0 __ai_set=$- IFS=$'\n'
    case "${__ai_word}" in
        -*) __ai_kind=- ;;
        = | :) __ai_kind=${__ai_word} __ai_word='' ;;
    esac
    __ai_place="${COMP_WORDS[*]:0:COMP_CWORD}${IFS}${__ai_kind}"
    while ((__ai_at < ${#__ai_places[@]})) && [[ "${__ai_places[__ai_at]}" != "${__ai_place}" ]]; do
        __ai_at=$((__ai_at + 1))
    done
    if ((__ai_at < ${#__ai_places[@]})); then
        __ai_answer="${__ai_answers[__ai_at]}"
    else
        __ai_answer="$("${__ai_bin}" complete --shell bash --index "${COMP_CWORD}" \
            -- "${COMP_WORDS[@]:0:COMP_CWORD}" "${__ai_kind}" 2>/dev/null)"
        if [[ -n "${__ai_answer}" && "${__ai_answer%%"${IFS}"*}" != *' once' ]]; then
            __ai_places[__ai_at]="${__ai_place}"
            __ai_answers[__ai_at]="${__ai_answer}"
        fi
    fi
    COMPREPLY=()
    if [[ "${__ai_answer}" != files* ]]; then
        # Files would be wrong here. bash 3 cannot be told so.
        \builtin compopt +o default +o bashdefault 2>/dev/null || \builtin true
    fi
    \builtin set -f
    # The first line is no candidate.
    # shellcheck disable=SC2086 # a word is a line
    \builtin set -- ${__ai_answer}
    while (($# > 1)); do
        \builtin shift
        if [[ "$1" == "${__ai_word}"* ]]; then COMPREPLY[${#COMPREPLY[@]}]="$1"; fi
    done
    if [[ "${__ai_set}" != *f* ]]; then \builtin set +f; fi
}
