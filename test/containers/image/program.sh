#!/bin/sh
# Starts a program of this container so that it outlives the command that did it.
# Usage: program.sh NAME COMMAND...
# It prints the process id and keeps it in /run/lab/NAME.pid; the output goes to /var/log/lab/NAME.log.
set -eu

name=$1
shift
mkdir -p /run/lab /var/log/lab
setsid "$@" </dev/null >>"/var/log/lab/$name.log" 2>&1 &
echo $! | tee "/run/lab/$name.pid"
