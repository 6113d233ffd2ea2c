# shellcheck shell=bash
# Asked at the prompt of a bash, with the names behind the file that the answer goes to. Traps and traces of the person end here.
\builtin shopt -u expand_aliases
\builtin trap - DEBUG
\builtin set +kxTeu
\builtin unset HISTFILE
{
    \builtin printf '__ai_doctor program %s\n' "${__ai_bin-}"
    for __ai_name in "${@:2}"; do
        if __ai_text="$(\builtin alias -- "${__ai_name}" 2>/dev/null)"; then
            # alias NAME='TEXT'
            __ai_text="${__ai_text#*=\'}"
            __ai_text="${__ai_text%\'}"
            # Ours stand where bash has no function of that name to give.
            [[ "${__ai_text}" == '__ai_call '* ]] || \builtin printf '__ai_doctor alias %s %s\n' "${__ai_name}" "${__ai_text//$'\n'/ }"
        elif __ai_text="$(\builtin declare -f -- "${__ai_name}")"; then
            case "${__ai_text}" in
                *__ai_* | *'ai run '*) ;;
                *) \builtin printf '__ai_doctor function %s\n' "${__ai_name}" ;;
            esac
        else
            \builtin printf '__ai_doctor missing %s\n' "${__ai_name}"
        fi
    done
    \builtin printf '__ai_doctor end\n'
} >|"$1"
\builtin kill -KILL $$
