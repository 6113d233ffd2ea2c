#<# What completes the words of ai in fish; `ai completions fish` prints it by itself. #>
set --global __ai_bin @@exe@@

@@completer@@
complete --command ai --no-files --keep-order --arguments '(__ai_complete)'
complete --command ai --condition __ai_wants_files --force-files
#% for name in completed
complete --command @@name@@ --no-files --keep-order --arguments '(__ai_complete)'
complete --command @@name@@ --condition __ai_wants_files --force-files
#% endfor
#% for name in precommands
complete --command @@name@@ --no-files --arguments '(__fish_complete_subcommand)'
#% endfor
