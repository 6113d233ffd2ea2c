# Shell integration of ai for fish; made by: ai init fish
set --global __ai_bin @@exe@@

#% include "ai.fish"
#% for function in functions
function @@function.name@@
    __ai_run @@function.tool@@ $argv
end
#% endfor
