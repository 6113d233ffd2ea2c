#!/bin/sh
echo CLAUDE-HOOK-CONTEXT
