#compdef iotctl
# Completions of iotctl for zsh: the program itself knows what may follow.
_iotctl() {
    local found
    local -a names shown
    while IFS= read -r found; do
        if [[ $found == :files ]]; then
            [[ $PREFIX == --*=* ]] && compset -P '*='
            _files
            return
        fi
        names+=("${found%%$'\t'*}")
        shown+=("${found/$'\t'/  }")
    done < <(iotctl _complete "${(@Q)words[1,CURRENT]}" 2> /dev/null)
    (( ${#names} )) && compadd -l -d shown -a names
}
if [[ ${funcstack[1]} == _iotctl ]]; then
    _iotctl "$@"
else
    compdef _iotctl iotctl
fi
