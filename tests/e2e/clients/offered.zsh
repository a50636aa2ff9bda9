# zsh offered.zsh DIRECTORY: prints for each line of standard input what zsh offers behind it, with the completion in
# DIRECTORY: a word a line, and an empty line at the end. It runs a zsh with a terminal, in which this file is sourced.
if [[ -o interactive ]]; then
    # A key that completes, but tells what is found in place of showing it.
    compadd() {
        local -a found
        # Completion's own bookkeeping, which adds nothing.
        if [[ ${@[1,(i)(-|--)]} == (*' '|)-[OAD]* ]]; then
            builtin compadd "$@"
            return
        fi
        builtin compadd -O found "$@"
        print -rl -- "<"$^found">"
        builtin compadd "$@"
    }
    tell() {
        _main_complete
        compstate[insert]= compstate[list]=
        print -r -- "<>"
    }
    fpath=($1 $fpath)
    autoload -Uz compinit
    compinit -u -D
    zle -C tell list-choices tell
    bindkey '^T' tell
    print -r -- "<>"
    return
fi

setopt extendedglob
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "source ${(q)0:A} ${(q)1:A}"
zpty -r shell told $'*<>\r\n*'
while IFS= read -r line; do
    zpty -w -n shell $'\C-U'$line$'\C-T'
    zpty -r shell told $'*<>\r\n*'
    for word in ${(f)told}; do
        [[ $word == *'<'(#b)(?##)'>'$'\r' ]] && print -r -- $match[1]
    done
    print
done
zpty -d shell
