# Completion: the program knows what may stand at the cursor. It is asked once for the two that want to know.
function __ai_ask
    set --local __ai_before (commandline --cut-at-cursor --current-process --tokenize)
    set --local __ai_word (commandline --cut-at-cursor --current-token)
    set --local __ai_place (builtin string join \n -- $__ai_before "$__ai_word" | builtin string collect)
    builtin test "$__ai_asked" = "$__ai_place"; and return
    set --global __ai_lines ($__ai_bin complete --shell fish --index (builtin count $__ai_before) -- $__ai_before "$__ai_word" 2>/dev/null)
    set --global __ai_asked
    builtin string match --quiet '* once' -- "$__ai_lines[1]"; or set __ai_asked $__ai_place
end

# Files are left to the shell, which knows about `~`, variables, blanks and quotes.
function __ai_wants_files
    __ai_ask
    builtin string match --quiet 'files*' -- "$__ai_lines[1]"
end
function __ai_complete
    __ai_ask
    builtin string join \n -- $__ai_lines[2..]
end
