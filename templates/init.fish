set --global __ai_bin @@exe@@

set --global __ai_prefix @@prefix@@
set --global __ai_held @@held@@
set --global __ai_tools @@tools@@

@@library@@
#% for function in functions
function @@function.name@@
    #% if function.alone
    if not functions --query __ai_run
        # Copied without the library, as into another shell, it is still the same run.
        @@exe@@ run @@function.subject@@ -- $argv
        return
    end
    #% endif
    @@function.runner@@ @@exe@@ @@function.subject@@ $argv
end
#% endfor
#% if completions
#% include "completions"
#% endif
