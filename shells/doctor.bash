\builtin unset HISTFILE
\builtin printf '\n__ai_doctor program %s\n' "${__ai_bin-}"
for __ai_name in "$@"; do
    case "$(\builtin type -t -- "${__ai_name}")" in
        alias)
            # alias NAME='TEXT'
            __ai_text="$(\builtin alias -- "${__ai_name}")"
            __ai_text="${__ai_text#*=\'}"
            \builtin printf '\n__ai_doctor alias %s %s\n' "${__ai_name}" "${__ai_text%\'}"
            ;;
        function)
            case "$(\builtin declare -f -- "${__ai_name}")" in
                *__ai_*) ;;
                *) \builtin printf '\n__ai_doctor function %s\n' "${__ai_name}" ;;
            esac
            ;;
        *) \builtin printf '\n__ai_doctor missing %s\n' "${__ai_name}" ;;
    esac
done
