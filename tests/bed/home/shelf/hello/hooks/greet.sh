#!/bin/sh
echo CLAUDE-PLUGIN-HOOK
