# Completion of tlsfloor's command line for bash: commands, their options, and the values of those that take one of
# few. Families of clients are asked of the program itself.
# shellcheck shell=bash

# The names of the listeners in the file that the command line names, or that is used where it names none.
_tlsfloor_listeners() {
    local file=/etc/tlsfloor/tlsfloor.ini i
    if [[ -e conf/tlsfloor.ini ]]; then file=conf/tlsfloor.ini; fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i - 1]} == @(-c|--config) ]]; then file=${COMP_WORDS[i]}; fi
    done
    sed -n 's/^ *\[listener \([^]]*\)\].*/\1/p' "$file" 2>/dev/null
}

_tlsfloor() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} words='' takes_file=
    # --option=value comes as three words.
    if [[ $current == '=' ]]; then
        current=''
    elif [[ $before == '=' ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if [[ $command == @(ca|endpoints) ]] && ((COMP_CWORD > 2)); then command+=" ${COMP_WORDS[2]}"; fi

    case "$COMP_CWORD $command $before" in
    1\ *)
        words='run check explain inspect probe report ca endpoints remediate winhttp pac healthcheck
            hash-password version'
        ;;
    2\ ca\ *) words='init show export' ;;
    2\ endpoints\ *) words='show lookup diff update' ;;
    *' '-c | *' '--config | *' '-o | *' '--output | *' '--hello | *' '--from | *' '--reg | *' '--powershell)
        takes_file=1
        ;;
    *' check '--reference) words='man' ;;
    *' explain '--listener) words=$(_tlsfloor_listeners) ;;
    *' probe '--starttls) words='smtp imap pop3' ;;
    *' report '--format) words='text json csv html' ;;
    *' report '--floor) words='1.2 1.3' ;;
    *' ca export '--format) words='pem der' ;;
    *' ca export '--for)
        words='windows java debian redhat suse alpine macos firefox android ios printer python node'
        ;;
    *' endpoints show '--area) words='Common Exchange SharePoint Teams Intune' ;;
    *' endpoints show '--category) words='Optimize Allow Default' ;;
    *' remediate '--client) words=$(tlsfloor remediate --list 2>/dev/null | sed 's/ .*//') ;;
    *' remediate '--format) words='text json' ;;
    *' pac '--kind) words='gateway legacy' ;;
    *' pac '--direct) words='optimize allow' ;;
    *' explain '--client | *' '--dest | *' '--timeout | *' '--since | *' '--url) ;;
    *' '--proxy | *' '--clients | *' '--user) ;;
    *' run '* | *' healthcheck '* | *' ca show '*) words='-c' ;;
    *' check '*) words='-c --dump --reference --reference=man' ;;
    *' explain '*) words='-c --client --dest --listener --hello' ;;
    *' inspect '*) words='--jsonl --client --server' takes_file=1 ;;
    *' probe '*) words='-c --starttls --json --timeout' ;;
    *' report '*) words='-c --format --floor --since' takes_file=1 ;;
    *' ca init '*) words='-c --renew' ;;
    *' ca export '*) words='-c --format --for -o' ;;
    *' endpoints show '*) words='-c --area --category --json' ;;
    *' endpoints lookup '*) words='-c' ;;
    *' endpoints diff '*) words='-c' takes_file=1 ;;
    *' endpoints update '*) words='-c --from --url -o --force' ;;
    *' remediate '*) words='--client --list --reg --powershell --only-1.2 --force --format' ;;
    *' winhttp '*) words='TLS1.0 TLS1.1 TLS1.2 TLS1.3' ;;
    *' pac '*) words='-c --kind --direct --proxy --clients' ;;
    *' hash-password '*) words='--user' ;;
    esac

    # Words of the command line are offered where one begins with a dash, or where no file could stand.
    if [[ -z $takes_file || $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}

complete -F _tlsfloor tlsfloor
