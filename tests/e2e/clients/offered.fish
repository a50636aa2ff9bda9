# fish offered.fish DIRECTORY: prints for each line of standard input what fish offers behind it, with the completion
# in DIRECTORY: a word a line, and an empty line at the end.
source $argv[1]/tlsfloor.fish
while read -l --delimiter \n line
    complete -C $line | string replace -r '\t.*' ''
    echo
end
