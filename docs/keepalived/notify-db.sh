#!/bin/sh
# Makes the database of this host agree with keepalived. Usage: notify-db.sh master|backup|fault|stop
set -u

state=$1
run=/run/vip-db
catch_up_seconds=30

mkdir -p "$run"
echo "$state" >"$run/wanted"
# One at a time. Who had to wait, and is no longer what keepalived wants, does nothing.
exec 9>"$run/lock"
flock -w 120 9 || exit 1

say() {
  logger -t notify-db -p "daemon.$1" "$state: $2"
}

still_wanted() {
  [ "$(cat "$run/wanted")" = "$state" ]
}

# ask SECONDS STATEMENTS [OPTION]: as administrator, with a hard limit.
ask() {
  timeout -s KILL "$1" "$client" --defaults-file=/etc/keepalived/notify.cnf \
    --batch --skip-column-names ${3:+"$3"} --execute="$2"
}

# ask_peer SECONDS STATEMENTS: asks the other master, whose address replication knows.
ask_peer() {
  timeout -s KILL "$1" "$client" --defaults-file=/etc/keepalived/check.cnf --host="$peer" \
    --batch --skip-column-names --execute="$2" 2>/dev/null
}

# All in one: until this server is writable, everybody waits.
learn() {
  facts=$(ask 2 "SELECT 'version', VERSION(); SELECT 'server_id', @@server_id;
    SHOW GLOBAL VARIABLES LIKE 'rpl_semi_sync_%_enabled'")
  server_id=$(fact server_id)
  case $(fact version) in
    *MariaDB*)
      vendor=mariadb
      waits=rpl_semi_sync_master_enabled
      acknowledges=rpl_semi_sync_slave_enabled
      ;;
    *)
      vendor=mysql
      waits=rpl_semi_sync_source_enabled
      acknowledges=rpl_semi_sync_replica_enabled
      ;;
  esac
  # Where a server is to acknowledge what it receives, the other one is to wait for it.
  [ "$(fact $acknowledges)" = ON ] && semi_sync=yes || semi_sync=no
}

fact() {
  echo "$facts" | awk -v name="$1" '$1 == name { print $2 }'
}

# One column of SHOW SLAVE STATUS.
slave_status() {
  ask 2 'SHOW SLAVE STATUS\G' --column-names | sed -n "s/^ *$1: *//p"
}

# without SERVER_ID: a list of MariaDB's GTIDs, less what that server has written itself; it does not apply it again.
without() {
  tr ',' '\n' | grep -v -e "-$1-" | paste -s -d , -
}

# Whether everything that was received from the other master has been applied.
caught_up() {
  if [ "$vendor" = mariadb ]; then
    received=$(slave_status Gtid_IO_Pos | without "$server_id")
    [ -z "$received" ] || [ "$(ask 3 "SELECT MASTER_GTID_WAIT('$received', 1)")" = 0 ]
  else
    [ "$(ask 3 'SELECT COALESCE(MAX(WAIT_FOR_EXECUTED_GTID_SET(received_transaction_set, 1)), 0)
      FROM performance_schema.replication_connection_status')" = 0 ]
  fi
}

# Whether the other master is read-only, at most a second behind, and holds nothing that is missing here.
peer_keeps_up() {
  if [ "$vendor" = mariadb ]; then
    peer=$(slave_status Master_Host)
    peer_id=$(ask_peer 2 'SELECT @@server_id') || return 1
    mine=$(ask 2 'SELECT @@global.gtid_binlog_pos' | without "$peer_id")
    theirs=$(ask_peer 3 "SELECT IF(@@global.read_only NOT IN ('0', 'OFF') AND MASTER_GTID_WAIT('$mine', 1) = 0,
        @@global.gtid_binlog_pos, 'no')") || return 1
    [ "$theirs" != no ] || return 1
    theirs=$(echo "$theirs" | without "$server_id")
    [ -z "$theirs" ] || [ "$(ask 3 "SELECT MASTER_GTID_WAIT('$theirs', 1)")" = 0 ]
  else
    peer=$(ask 2 'SELECT host FROM performance_schema.replication_connection_configuration')
    mine=$(ask 2 "SELECT REPLACE(@@global.gtid_executed, '\n', '')")
    theirs=$(ask_peer 3 "SELECT IF(@@global.read_only NOT IN ('0', 'OFF')
        AND WAIT_FOR_EXECUTED_GTID_SET('$mine', 1) = 0, REPLACE(@@global.gtid_executed, '\n', ''), 'no')") || return 1
    [ "$theirs" != no ] && [ "$(ask 3 "SELECT WAIT_FOR_EXECUTED_GTID_SET('$theirs', 1)")" = 0 ]
  fi
}

open() {
  # For whom? The other master may be dead, and then the first commit would wait for ever.
  [ "$(fact $waits)" != ON ] || ask 5 "SET GLOBAL $waits = OFF"
  end=$(($(date +%s) + catch_up_seconds))
  until caught_up; do
    still_wanted || return
    if [ "$(date +%s)" -ge "$end" ]; then
      say err "the applier has not caught up in $catch_up_seconds s; accepting writes all the same"
      break
    fi
    sleep 0.1
  done
  still_wanted || return
  # On MySQL this ends super_read_only too.
  if ask 5 'SET GLOBAL read_only = OFF'; then
    : >"$run/primary"
    say notice 'this server accepts writes now'
  else
    say err 'this server could not be made writable'
  fi
}

# Lets commits wait for the other master, once that one is there to acknowledge them, however long that takes.
wait_for_peer() {
  flock -u 9
  until peer_keeps_up; do
    still_wanted || return
    sleep 0.5
  done
  flock -w 120 9 || return
  still_wanted || return
  if ask 5 "SET GLOBAL $waits = ON"; then
    say notice "commits wait for $peer now"
  else
    say err "commits could not be made to wait for $peer"
  fi
}

close() {
  rm -f "$run/primary"
  for attempt in 1 2 3; do
    # First: a client's LOCK TABLES would keep the next statement waiting.
    end_sessions
    if ask 3 'SET SESSION lock_wait_timeout = 1; SET GLOBAL read_only = ON'; then
      # MariaDB has no such variable.
      ask 3 'SET GLOBAL super_read_only = ON' 2>/dev/null
      closed=yes
    fi
    end_sessions
    # What is applied here needs no acknowledgement. Now that their clients are gone, commits that still wait for one
    # may end; and they may be what has kept the server from becoming read-only.
    [ "$semi_sync" = no ] || ask 5 "SET GLOBAL $waits = OFF"
    if [ "${closed-}" = yes ]; then
      say notice 'this server is read-only now'
      return
    fi
    say warning "attempt $attempt to make this server read-only has failed"
    still_wanted || return
  done
}

# Ends all sessions but those of replication, of the server itself and our own.
end_sessions() {
  ask 3 "SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist
    WHERE user NOT IN ('system user', 'event_scheduler', SUBSTRING_INDEX(CURRENT_USER(), '@', 1))
      AND command NOT LIKE 'Binlog Dump%' AND command <> 'Daemon'" |
    timeout -s KILL 5 "$client" --defaults-file=/etc/keepalived/notify.cnf --force 2>/dev/null
}

client=$(command -v mariadb || command -v mysql) || {
  say err 'neither mariadb nor mysql is installed'
  exit 1
}
still_wanted || exit 0
case $state in
  master)
    learn
    open
    [ "$semi_sync" = no ] || wait_for_peer
    ;;
  backup | fault | stop)
    learn
    close
    ;;
  *) say err 'unknown state' && exit 2 ;;
esac
