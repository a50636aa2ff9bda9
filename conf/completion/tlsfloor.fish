# Completion of tlsfloor's command line for fish: commands, their options, and the values of those that take one of
# few. Families of clients are asked of the program itself.

# Whether the words behind tlsfloor begin with these.
function __tlsfloor_in
    set -l words (commandline -opc)[2..]
    test "$words[1..$(count $argv)]" = "$argv"
end

# Whether they are no more than these: a command or subcommand comes next.
function __tlsfloor_at
    set -l words (commandline -opc)[2..]
    test "$words" = "$argv"
end

# The names of the listeners in the file that the command line names, or that is used where it names none.
function __tlsfloor_listeners
    set -l words (commandline -opc)
    set -l at (contains -i -- -c $words; or contains -i -- --config $words)
    set -l file /etc/tlsfloor/tlsfloor.ini
    test -e conf/tlsfloor.ini; and set file conf/tlsfloor.ini
    test -n "$at"; and set file $words[(math $at + 1)]
    string replace -rf '^ *\[listener ([^]]*)\].*' '$1' <$file
end

# The families of clients, each with its name.
function __tlsfloor_families
    tlsfloor remediate --list 2>/dev/null | string replace -rf '^(\S+) +(known unable|can be \w+|unknown) +' '$1\t'
end

complete -c tlsfloor -f

complete -c tlsfloor -n __tlsfloor_at -a run -d 'Run the gateway in the foreground'
complete -c tlsfloor -n __tlsfloor_at -a check -d 'Validate a configuration'
complete -c tlsfloor -n __tlsfloor_at -a explain -d 'Which rule matches, which verdict, and why'
complete -c tlsfloor -n __tlsfloor_at -a inspect -d 'Take a captured hello apart'
complete -c tlsfloor -n __tlsfloor_at -a probe -d 'Which versions and suites a server takes'
complete -c tlsfloor -n __tlsfloor_at -a report -d 'Which clients are left to fix'
complete -c tlsfloor -n __tlsfloor_at -a ca -d 'The gateway\'s own CA'
complete -c tlsfloor -n __tlsfloor_at -a endpoints -d 'The Microsoft 365 endpoint set'
complete -c tlsfloor -n __tlsfloor_at -a remediate -d 'What to do about a kind of client'
complete -c tlsfloor -n __tlsfloor_at -a winhttp -d 'Take DefaultSecureProtocols apart, or put it together'
complete -c tlsfloor -n __tlsfloor_at -a pac -d 'A script that tells browsers what goes where'
complete -c tlsfloor -n __tlsfloor_at -a healthcheck -d 'Whether the running gateway is ready'
complete -c tlsfloor -n __tlsfloor_at -a hash-password -d 'A password, for a file of users'
complete -c tlsfloor -n __tlsfloor_at -a version -d 'Versions of the program and its libraries'

for __tlsfloor_command in run check explain probe report pac healthcheck 'ca init' 'ca show' 'ca export' \
    'endpoints show' 'endpoints lookup' 'endpoints diff' 'endpoints update'
    complete -c tlsfloor -n "__tlsfloor_in $__tlsfloor_command" -s c -rF -d 'The configuration'
end
set -e __tlsfloor_command

complete -c tlsfloor -n '__tlsfloor_in check' -l dump -d 'What is in force, and why'
complete -c tlsfloor -n '__tlsfloor_in check' -l reference -d 'Every key there is, as Markdown'
complete -c tlsfloor -n '__tlsfloor_in check' -a --reference=man -d 'The same as a manual page'

complete -c tlsfloor -n '__tlsfloor_in explain' -l client -x -d 'The client\'s address'
complete -c tlsfloor -n '__tlsfloor_in explain' -l dest -x -d 'HOST[:PORT] that it wants to go to'
complete -c tlsfloor -n '__tlsfloor_in explain' -l listener -xa '(__tlsfloor_listeners)' -d 'By which it comes'
complete -c tlsfloor -n '__tlsfloor_in explain' -l hello -rF -d 'What it says first, raw'

complete -c tlsfloor -n '__tlsfloor_in inspect' -l jsonl -d 'Each line is a JSON object'
complete -c tlsfloor -n '__tlsfloor_in inspect' -l client -d 'It is a client\'s flight'
complete -c tlsfloor -n '__tlsfloor_in inspect' -l server -d 'It is a server\'s flight'

complete -c tlsfloor -n '__tlsfloor_in probe' -l starttls -xa 'smtp imap pop3' -d 'Ask for TLS in that protocol'
complete -c tlsfloor -n '__tlsfloor_in probe' -l json -d 'Print JSON'
complete -c tlsfloor -n '__tlsfloor_in probe' -l timeout -x -d 'Seconds for each connection'

complete -c tlsfloor -n '__tlsfloor_in report' -l format -xa 'text json csv html' -d 'How to print it'
complete -c tlsfloor -n '__tlsfloor_in report' -l floor -xa '1.2 1.3' -d 'Who would be blocked then'
complete -c tlsfloor -n '__tlsfloor_in report' -l since -x -d '30d, 12h, a day or a time'

complete -c tlsfloor -n '__tlsfloor_at ca' -a init -d 'Make it'
complete -c tlsfloor -n '__tlsfloor_at ca' -a show -d 'What it may vouch for, until when'
complete -c tlsfloor -n '__tlsfloor_at ca' -a export -d 'Its certificate, for clients to trust'
complete -c tlsfloor -n '__tlsfloor_in ca init' -l renew -d 'A new certificate for its key'
complete -c tlsfloor -n '__tlsfloor_in ca export' -l format -xa 'pem der' -d 'The form of the certificate'
complete -c tlsfloor -n '__tlsfloor_in ca export' -l for -d 'Who is to trust it' \
    -xa 'windows java debian redhat suse alpine macos firefox android ios printer python node'
complete -c tlsfloor -n '__tlsfloor_in ca export' -s o -rF -d 'Write it to a file'

complete -c tlsfloor -n '__tlsfloor_at endpoints' -a show -d 'The sets in use'
complete -c tlsfloor -n '__tlsfloor_at endpoints' -a lookup -d 'Which sets have a host'
complete -c tlsfloor -n '__tlsfloor_at endpoints' -a diff -d 'What another file would change'
complete -c tlsfloor -n '__tlsfloor_at endpoints' -a update -d 'Fetch a newer version'
complete -c tlsfloor -n '__tlsfloor_in endpoints show' -l area -xa 'Common Exchange SharePoint Teams Intune' -d 'Only these'
complete -c tlsfloor -n '__tlsfloor_in endpoints show' -l category -xa 'Optimize Allow Default' -d 'Only these'
complete -c tlsfloor -n '__tlsfloor_in endpoints show' -l json -d 'Print JSON'
complete -c tlsfloor -n '__tlsfloor_in endpoints update' -l from -rF -d 'From a file'
complete -c tlsfloor -n '__tlsfloor_in endpoints update' -l url -x -d 'From another service'
complete -c tlsfloor -n '__tlsfloor_in endpoints update' -s o -rF -d 'Where to write it'
complete -c tlsfloor -n '__tlsfloor_in endpoints update' -l force -d 'Even if it has far fewer names'

complete -c tlsfloor -n '__tlsfloor_in remediate' -l client -xa '(__tlsfloor_families)' -d 'Which kind of client'
complete -c tlsfloor -n '__tlsfloor_in remediate' -l list -d 'All kinds there are'
complete -c tlsfloor -n '__tlsfloor_in remediate' -l reg -rF -d 'Write settings for reg import'
complete -c tlsfloor -n '__tlsfloor_in remediate' -l powershell -rF -d 'Write settings as a script'
complete -c tlsfloor -n '__tlsfloor_in remediate' -l only-1.2 -d 'Leave TLS 1.1 out'
complete -c tlsfloor -n '__tlsfloor_in remediate' -l force -d 'Replace a file that is there'
complete -c tlsfloor -n '__tlsfloor_in remediate' -l format -xa 'text json' -d 'How to print the advice'

complete -c tlsfloor -n '__tlsfloor_in winhttp' -a 'TLS1.0 TLS1.1 TLS1.2 TLS1.3'

complete -c tlsfloor -n '__tlsfloor_in pac' -l kind -xa 'gateway legacy' -d 'Who goes through the gateway'
complete -c tlsfloor -n '__tlsfloor_in pac' -l direct -xa 'optimize allow' -d 'Which endpoints go direct'
complete -c tlsfloor -n '__tlsfloor_in pac' -l proxy -x -d 'HOST:PORT that browsers are to use'
complete -c tlsfloor -n '__tlsfloor_in pac' -l clients -x -d 'Blocks of addresses that it is for'

complete -c tlsfloor -n '__tlsfloor_in hash-password' -l user -x -d 'The name in front of the hash'

# What may be a file besides.
complete -c tlsfloor -n '__tlsfloor_in inspect' -F
complete -c tlsfloor -n '__tlsfloor_in report' -F
complete -c tlsfloor -n '__tlsfloor_in endpoints diff' -F
