# One run of a tool: settings in, plan, the engine's own command line, settings out.
function __ai_run
    if not test -x "$__ai_bin"
        builtin printf '%s\n' "ai: cannot run $argv[1]: $__ai_bin is gone; hint: install ai again, or start a new shell" >&2
        return 127
    end
    if contains -- "$argv[2]" --native --local
        set --local __ai_plan ($__ai_bin resolve --format argv0 -- $argv | builtin string split0)
        set --local __ai_code $pipestatus[1]
        test $__ai_code -eq 0; or return $__ai_code
        $__ai_plan
        return
    end
    set --local __ai_tty
    isatty stdin; and isatty stdout; and set __ai_tty --tty
    set --local __ai_session ($__ai_bin sync in --owner $fish_pid -- $argv[1]); or return
    # Words, not text: in a pipe, `eval` would hold back all output until the tool has ended.
    set --local __ai_plan ($__ai_bin resolve --format argv0 --session $__ai_session $__ai_tty -- $argv | builtin string split0)
    set --local __ai_code $pipestatus[1]
    if test $__ai_code -eq 0
        $__ai_plan
        set __ai_code $status
    end
    $__ai_bin sync out --code $__ai_code -- $__ai_session
    return $__ai_code
end
