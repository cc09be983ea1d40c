# Completions of iotctl for bash: the program itself knows what may follow.

# The words of a line as the shell would read them, into words; quote is what is not closed at its end.
_iotctl_words() {
    local line="$1" word="" letter started="" at
    words=() quote=""
    for ((at = 0; at < ${#line}; at++)); do
        letter="${line:at:1}"
        if [[ $quote == "'" ]]; then
            if [[ $letter == "'" ]]; then quote=""; else word+="$letter"; fi
        elif [[ $letter == "\\" ]]; then
            ((at++))
            word+="${line:at:1}" started=1
        elif [[ -n $quote ]]; then
            if [[ $letter == "$quote" ]]; then quote=""; else word+="$letter"; fi
        elif [[ $letter == [\'\"] ]]; then
            quote="$letter" started=1
        elif [[ $letter == [[:space:]] ]]; then
            if [[ -n $started ]]; then words+=("$word"); fi
            word="" started=""
        else
            word+="$letter" started=1
        fi
    done
    words+=("$word")
}

_iotctl() {
    local found word cut quote
    local -a words=()
    # COMP_WORDS is split at = and : as well; the program takes the words of the shell.
    _iotctl_words "${COMP_LINE:0:COMP_POINT}"
    word="${words[${#words[@]}-1]}"
    cut="${word%"${word##*[=:]}"}"
    COMPREPLY=()
    while IFS= read -r found; do
        if [[ $found == :files ]]; then
            # This puts backslashes before spaces, too.
            compopt -o filenames 2> /dev/null
            while IFS= read -r found; do
                COMPREPLY+=("$found")
            done < <(compgen -f -- "${word##*[=:]}")
            return
        fi
        found="${found%%$'\t'*}"
        found="${found#"$cut"}"
        if [[ -z $quote ]]; then
            printf -v found %q "$found"
        fi
        COMPREPLY+=("$found")
    done < <(iotctl _complete "${words[@]}" 2> /dev/null)
    # The user has to say the rest.
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2> /dev/null
    fi
}
complete -o nosort -F _iotctl iotctl 2> /dev/null || complete -F _iotctl iotctl
