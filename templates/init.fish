# Shell integration of ai for fish; made by: ai init fish
set --global __ai_bin @@exe@@

@@library@@
#% for function in functions
function @@function.name@@
    @@function.runner@@ @@function.subject@@ $argv
end
#% endfor
#% if completions
#% include "completions"
#% endif
