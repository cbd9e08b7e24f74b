# shellcheck shell=sh
# Sourced: where Debian's packages come from.

# The mirror this machine uses for Debian itself, from sources in the one-line and in the deb822 format.
mirror_of_machine() {
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}//p' | awk -v suite="$codename" '$2 == suite && $3 == "main" { print $1 }'
  for file in /etc/apt/sources.list.d/*.sources; do
    [ ! -e "$file" ] || grep -v '^#' "$file" | awk -v suite="$codename" -v RS= '{
      uri = ""; found = 0; count = split($0, lines, "\n")
      for (i = 1; i <= count; i++) {
        words = split(lines[i], word, " ")
        if (word[1] == "URIs:") uri = word[2]
        if (word[1] == "Suites:") for (j = 2; j <= words; j++) if (word[j] == suite) found = 1
      }
      if (found && uri != "") print uri
    }'
  done
}

# Prints the mirror, or nothing where none is known.
debian_mirror() {
  echo "${VIPSQL_DEBIAN_MIRROR:-$(mirror_of_machine | head -n 1)}"
}
