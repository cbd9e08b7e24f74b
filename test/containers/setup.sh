#!/usr/bin/env bash
# What the container lab needs: Docker, its daemon, and an image for each database. Does only what is not done yet.
# Usage: test/containers/setup.sh                     install, start, build
#        test/containers/setup.sh image mysql|mariadb print the name of that image
set -euo pipefail
cd "$(dirname "$0")/../.."
. test/support/debian-mirror.sh

cache=$PWD/.cache/containers

say() {
  echo "setup.sh: $*" >&2
}

suite_of() {
  case $1 in mysql) echo sid ;; mariadb) echo bookworm ;; esac
}

packages_of() {
  case $1 in
    mysql) echo mysql-server-core,mysql-client-core,keepalived,iproute2,iptables,procps ;;
    mariadb) echo mariadb-server-core,mariadb-client-core,keepalived,iproute2,iptables,procps,redis-server ;;
  esac
}

hash() {
  sha256sum | cut -c -12
}

# The names change with whatever goes into the images.
base_of() {
  echo "vipsql-lab-base:$1-$({ suite_of "$1" && packages_of "$1" && cat "test/containers/image/public-$1.Dockerfile"; } | hash)"
}

image_of() {
  echo "vipsql-lab:$1-$({ base_of "$1" && cat test/containers/image/{Dockerfile,*.sh,logger,accounts-sql.ts} \
    src/testing/accounts.ts "src/testing/vendors/$1.ts" "docs/keepalived/accounts-$1.sql"; } | hash)"
}

exists() {
  docker image inspect "$1" >/dev/null 2>&1
}

install_docker() {
  local missing=()
  command -v docker >/dev/null && command -v dockerd >/dev/null || missing+=(docker.io)
  command -v debootstrap >/dev/null || missing+=(debootstrap)
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "${missing[*]} cannot be installed: that takes root and apt-get"
    return 1
  fi
  # Nothing that is installed may start by itself.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  apt-get -q update >&2
  DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends iptables "${missing[@]}" >&2
}

# start_daemon OPTIONS...: leaves its process id in .cache/containers.
start_daemon() {
  say "starting dockerd $*"
  # Without the lock, which would be held for as long as the daemon runs.
  setsid dockerd "$@" </dev/null >"$cache/dockerd.log" 2>&1 8>&- &
  local pid=$!
  for _ in $(seq 100); do
    if docker info >/dev/null 2>&1; then
      echo "$pid" >"$cache/dockerd.pid"
      return 0
    fi
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.3
  done
  kill "$pid"
  return 1
}

provide_daemon() {
  ! docker info >/dev/null 2>&1 || return 0
  install_docker
  ! docker info >/dev/null 2>&1 || return 0
  if [ "$(id -u)" != 0 ]; then
    say 'no Docker daemon answers; start one, or run this as root'
    return 1
  fi
  if [ -d /run/systemd/system ]; then
    systemctl start docker
  else
    # The second way is for machines without overlay file systems or a usable firewall; the lab needs neither.
    start_daemon || start_daemon --storage-driver=vfs --iptables=false ||
      { tail -n 20 "$cache/dockerd.log" >&2 && return 1; }
  fi
}

# From the public image where Docker Hub answers within seconds, else from Debian's packages.
build_base() {
  local vendor=$1 base work mirror
  base=$(base_of "$vendor")
  ! exists "$base" || return 0
  if timeout 5 bash -c '</dev/tcp/registry-1.docker.io/443' 2>/dev/null; then
    say "building $base from the public image"
    ! timeout 600 docker build -q -t "$base" - <"test/containers/image/public-$vendor.Dockerfile" >&2 || return 0
    say 'the public image cannot be had; taking Debian packages'
  fi
  mirror=$(debian_mirror)
  [ -n "$mirror" ] || { say 'no Debian mirror in the apt sources; set VIPSQL_DEBIAN_MIRROR' && return 1; }
  install_docker
  say "building $base from $mirror $(suite_of "$vendor")"
  work=$(mktemp -d "$cache/base-$vendor.XXXXXX")
  if ! debootstrap --variant=minbase --include="$(packages_of "$vendor")" "$(suite_of "$vendor")" "$work/root" "$mirror" \
    >"$cache/base-$vendor.log" 2>&1; then
    tail -n 20 "$cache/base-$vendor.log" >&2
    rm -rf "$work"
    return 1
  fi
  tar -C "$work/root" --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --exclude='./usr/share/doc/*' \
    --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' -c . | docker import - "$base" >&2
  rm -rf "$work"
}

build_image() {
  local vendor=$1 image context
  image=$(image_of "$vendor")
  ! exists "$image" || return 0
  build_base "$vendor"
  say "building $image"
  context=$(mktemp -d)
  mkdir "$context/lab"
  cp test/containers/image/{*.sh,logger} "$context/lab"
  node --import tsx test/containers/image/accounts-sql.ts "$vendor" >"$context/lab/accounts.sql"
  docker build -q --network=none --build-arg BASE="$(base_of "$vendor")" -t "$image" \
    -f test/containers/image/Dockerfile "$context" >&2 || { rm -rf "$context" && return 1; }
  rm -rf "$context"
}

case ${1-} in
  image) image_of "$2" ;;
  '')
    mkdir -p "$cache"
    exec 8>"$cache/lock"
    flock 8
    provide_daemon
    build_image mysql 8>&- &
    mysql=$!
    build_image mariadb 8>&- &
    mariadb=$!
    wait "$mysql" && wait "$mariadb"
    image_of mysql
    image_of mariadb
    ;;
  *) say "unknown command $1" && exit 2 ;;
esac
