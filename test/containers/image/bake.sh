#!/bin/sh
# Makes the data folder that every server of the lab begins with, its accounts in it.
set -eu

data=/var/lib/lab
mkdir -p /run/mysqld /var/lib/mysql-files
if command -v mariadbd >/dev/null; then
  mariadb-install-db --no-defaults --user=root --datadir="$data" --auth-root-authentication-method=normal \
    --skip-test-db --innodb-log-file-size=4M >/dev/null
  # Until the privileges are loaded the server refuses to change accounts.
  { echo 'FLUSH PRIVILEGES;' && cat /lab/accounts.sql; } |
    mariadbd --no-defaults --user=root --datadir="$data" --bootstrap --innodb-log-file-size=4M
else
  mysqld --no-defaults --user=root --datadir="$data" --initialize-insecure --init-file=/lab/accounts.sql \
    --innodb-redo-log-capacity=8M
  # Each server makes an identity of its own.
  rm -f "$data/auto.cnf"
fi
