builtin printf '\n__ai_doctor program %s\n' "$__ai_bin"
for __ai_name in $argv
    # An alias is a function here, which calls what it stands for.
    if builtin functions --query -- $__ai_name
        set --local __ai_text (builtin functions -- $__ai_name | builtin string collect)
        if not builtin string match --quiet -- '*__ai_*' $__ai_text
            builtin printf '\n__ai_doctor function %s\n' $__ai_name
        end
    else
        builtin printf '\n__ai_doctor missing %s\n' $__ai_name
    end
end
