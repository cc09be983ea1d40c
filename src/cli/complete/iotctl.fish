# Completions of iotctl for fish: the program itself knows what may follow.
function __iotctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found (iotctl _complete $words "$current" 2> /dev/null)
    if test "$found[1]" = :files
        __fish_complete_path "$current"
    else
        printf '%s\n' $found
    end
end
complete -c iotctl -f -a '(__iotctl_complete)'
