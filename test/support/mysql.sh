#!/bin/sh
# Fetches MySQL from Debian's unstable suite into .cache/mysql, with every library it needs, and prints the path of a
# wrapper that runs it: .cache/mysql/bin/mysqld. The packages of this machine are not touched, and no root is needed.
# Usage: VIPSQL_MYSQLD=$(test/support/mysql.sh)
set -eu

cache=$(cd "$(dirname "$0")/../.." && pwd)/.cache
mysqld=$cache/mysql/bin/mysqld

fail() {
  echo "mysql.sh: $*" >&2
  exit 1
}

mkdir -p "$cache"
exec 9>"$cache/mysql.lock"
flock 9
if "$mysqld" --no-defaults --version >/dev/null 2>&1; then
  echo "$mysqld"
  exit 0
fi

command -v apt-get >/dev/null || fail 'apt-get is needed (Debian or Ubuntu)'
command -v dpkg-deb >/dev/null || fail 'dpkg-deb is needed (Debian or Ubuntu)'
. "$(dirname "$0")/debian-mirror.sh"
mirror=$(debian_mirror)
[ -n "$mirror" ] || fail 'no Debian mirror in the apt sources; set VIPSQL_DEBIAN_MIRROR'

work=$cache/mysql.unfinished
rm -rf "$work" "$cache/mysql"
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/tree"
trap 'rm -rf "$work"' EXIT

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
signed_by=
[ ! -e "$keyring" ] || signed_by="[signed-by=$keyring] "
echo "deb $signed_by$mirror sid main" >"$work/sources.list"
# An empty status file: nothing counts as installed, so that every library comes from the same suite.
: >"$work/status"
cat >"$work/apt.conf" <<EOF
Dir::State::Lists "$work/lists";
Dir::State::status "$work/status";
Dir::Cache "$work";
Dir::Cache::archives "$work/archives";
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Debug::NoLocking "1";
APT::Sandbox::User "";
Acquire::Languages "none";
// A mirror may be a snapshot; signatures are checked all the same.
Acquire::Check-Valid-Until "false";
APT::Update::Error-Mode "any";
EOF
export APT_CONFIG="$work/apt.conf" DEBIAN_FRONTEND=noninteractive

echo "mysql.sh: fetching mysql-server-core from $mirror sid" >&2
apt-get -q update >"$work/log" 2>&1 || fail "apt-get update failed: $(tail -n 5 "$work/log")"
apt-get -qy --no-install-recommends --download-only install mysql-server-core >"$work/log" 2>&1 ||
  fail "mysql-server-core cannot be had from sid (renamed, or waiting for a transition?): $(tail -n 5 "$work/log")"
for package in "$work"/archives/*.deb; do
  dpkg-deb -x "$package" "$work/tree"
done

triplet=$(basename "$(dirname "$(find "$work/tree/usr/lib" -name libc.so.6 | head -n 1)")")
loader=$(cd "$work/tree" && find "usr/lib/$triplet" -name 'ld-linux*' | head -n 1)
for file in usr/sbin/mysqld usr/lib/mysql/plugin/semisync_source.so "usr/lib/$triplet/libc.so.6" "${loader:-ld-linux}"; do
  [ -e "$work/tree/$file" ] || fail "sid's packages have changed: $file is missing"
done
# What the server does not need is a third of the size.
rm -rf "$work/tree/usr/bin" "$work/tree/usr/share/doc" "$work/tree/usr/share/man" "$work/tree/usr/share/locale" \
  "$work/tree/usr/share/perl" "$work/tree/usr/lib/$triplet/perl" "$work/tree/usr/lib/$triplet/perl-base"

mkdir "$work/tree/bin"
cat >"$work/tree/bin/mysqld" <<EOF
#!/bin/sh
root=\$(cd "\$(dirname "\$0")/.." && pwd)
exec "\$root/$loader" --library-path "\$root/usr/lib/$triplet:\$root/usr/lib/mysql/private" "\$root/usr/sbin/mysqld" "\$@" \\
  --basedir="\$root/usr" --plugin-dir="\$root/usr/lib/mysql/plugin"
EOF
chmod +x "$work/tree/bin/mysqld"
version=$("$work/tree/bin/mysqld" --no-defaults --version 2>&1) || fail "the fetched server does not run: $version"
mv "$work/tree" "$cache/mysql"
echo "mysql.sh: $version" >&2
echo "$mysqld"
