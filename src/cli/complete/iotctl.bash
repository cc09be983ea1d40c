# Completions of iotctl for bash: the program itself knows what may follow.
_iotctl() {
    local line="${COMP_LINE:0:COMP_POINT}" found word cut
    local -a words=()
    # COMP_WORDS is split at = and : as well; the program takes the words of the shell.
    read -ra words <<< "$line"
    if [[ -z $line || $line == *[[:space:]] ]]; then
        words+=("")
    fi
    word="${words[${#words[@]}-1]}"
    cut="${word%"${word##*[=:]}"}"
    COMPREPLY=()
    while IFS= read -r found; do
        if [[ $found == :files ]]; then
            compopt -o filenames 2> /dev/null
            while IFS= read -r found; do
                COMPREPLY+=("$found")
            done < <(compgen -f -- "${word##*[=:]}")
            return
        fi
        found="${found%%$'\t'*}"
        COMPREPLY+=("${found#"$cut"}")
    done < <(iotctl _complete "${words[@]}" 2> /dev/null)
    # The user has to say the rest.
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2> /dev/null
    fi
}
complete -o nosort -F _iotctl iotctl 2> /dev/null || complete -F _iotctl iotctl
