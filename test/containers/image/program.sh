#!/bin/sh
# Starts a program of this container so that it outlives the command that did it; leaves it alone if it runs.
# Usage: program.sh NAME COMMAND...
# It prints the process id and keeps it in /run/lab/NAME.pid; the output goes to /var/log/lab/NAME.log.
set -eu

name=$1
shift
mkdir -p /run/lab /var/log/lab
pid=$(cat "/run/lab/$name.pid" 2>/dev/null) || pid=
# One that has ended and is not buried yet is a zombie.
if [ -n "$pid" ] && sed 's/.*) \(.\).*/\1/' "/proc/$pid/stat" 2>/dev/null | grep -qv Z; then
  echo "$pid"
  exit 0
fi
setsid "$@" </dev/null >>"/var/log/lab/$name.log" 2>&1 &
echo $! | tee "/run/lab/$name.pid"
