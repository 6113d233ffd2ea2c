# Whether our program is still there: if not, nothing may run, least of all the tool without its container.
function __ai_found
    builtin test -x "$__ai_bin"; and return
    builtin printf '%s\n' "ai: cannot run $argv[1]: $__ai_bin is gone; hint: install ai again, then start a new shell" >&2
    return 127
end

# Sessions that are not closed yet. Ctrl-C in a pipe ends fish's functions where they are, so what they left open is closed
# before the next prompt.
set --query __ai_open; or set --global __ai_open
function __ai_close --on-event fish_postexec
    for __ai_session in $__ai_open
        $__ai_bin sync out --code 130 -- $__ai_session
    end
    set --global __ai_open
end

# One run of a tool: settings in, plan, the engine's own command line, settings out.
function __ai_run
    __ai_found $argv[1]; or return
    # Words, not text to evaluate: in a pipe, `eval` would hold back all output until the tool has ended.
    if builtin contains -- "$argv[2]" --native --local
        set --local __ai_argv ($__ai_bin resolve --format argv0 -- $argv | builtin string split0)
        set --local __ai_code $pipestatus[1]
        builtin test $__ai_code -eq 0; or return $__ai_code
        $__ai_argv
        return
    end
    set --local __ai_tty none
    if builtin test -t 0
        set __ai_tty stdin
        builtin test -t 1; and set __ai_tty both
    end
    set --local __ai_session ($__ai_bin sync in --owner $fish_pid -- $argv[1]); or return
    set --append __ai_open $__ai_session
    set --local __ai_argv ($__ai_bin resolve --format argv0 --session $__ai_session --tty=$__ai_tty -- $argv | builtin string split0)
    set --local __ai_code $pipestatus[1]
    if builtin test $__ai_code -eq 0
        # A child that dies of Ctrl-C ends this function too, but not what is inside `eval`. In a pipe, `eval` would hold back
        # all output until the tool has ended.
        if builtin test -t 1
            builtin eval '$__ai_argv'
        else
            $__ai_argv
        end
        set __ai_code $status
    end
    $__ai_bin sync out --code $__ai_code -- $__ai_session
    set __ai_open (builtin string match --invert -- $__ai_session $__ai_open)
    return $__ai_code
end

# A word that the program itself understands, with this shell's default tool.
function __ai_word
    __ai_found $argv[1]; or return
    AI_TOOL="$AI_TOOL" $__ai_bin word $argv[1] -- $argv[2..]
end

# The default tool.
function __ai_default
    __ai_found $argv[1]; or return
    set --local __ai_tool (AI_TOOL="$AI_TOOL" $__ai_bin use --quiet); or return
    __ai_run $__ai_tool $argv[2..]
end

# Only a function can set a variable of its shell. It is not exported.
function __ai_mode
    if builtin test (count $argv) -ne 2; or builtin contains -- "$argv[2]" help -h --help
        __ai_word $argv
        return
    end
    __ai_found $argv[1]; or return
    set --local __ai_tool ($__ai_bin use --name -- $argv[2]); or return
    set --global AI_TOOL $__ai_tool
end
