#!/bin/sh
# Exit 0: the database of this host lets somebody in over TCP and answers. keepalived runs it every second.
set -u

client=$(command -v mariadb || command -v mysql) || exit 1

# -s KILL: a frozen server must not be able to hold up its own check.
answer=$(timeout -s KILL 2 "$client" --defaults-file=/etc/keepalived/check.cnf \
  --batch --skip-column-names --execute='SELECT @@global.read_only' 2>&1)

case $?:$answer in
  0:*) ;;
  # Too many connections: a full server is not a dead one, and the other one would be full as well.
  *'ERROR 1040'* | *'ERROR 1203'*) exit 0 ;;
  *) exit 1 ;;
esac

# This node was made the primary, and the server is read-only: it has restarted between two checks. Hand over.
if [ -e /run/vip-db/primary ] && [ "$answer" != 0 ] && [ "$answer" != OFF ]; then
  exit 1
fi
exit 0
