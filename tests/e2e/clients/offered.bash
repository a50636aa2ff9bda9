# bash offered.bash DIRECTORY: prints for each line of standard input what bash offers behind it, with the completion
# in DIRECTORY: a word a line, and an empty line at the end.
# shellcheck shell=bash
set -euo pipefail

# shellcheck source=/dev/null
. "$1/tlsfloor.bash"
compopt() { :; } # which only readline can be told
while IFS= read -r line; do
    # Words as readline splits them: `=` stands alone.
    read -ra COMP_WORDS <<<"${line//=/ = }"
    if [[ $line == *[[:space:]=] ]]; then COMP_WORDS+=(''); fi
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=()
    _tlsfloor tlsfloor "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf '%s\n' "${COMPREPLY[@]}" ''
done
