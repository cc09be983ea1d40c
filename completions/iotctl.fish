# Completions of iotctl for fish: the program itself knows what may follow.
function __iotctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    # Without backslashes and quotes; one of these may not be closed yet.
    set -l plain (string unescape -- "$current")
    or set plain (string trim --left --chars "'\"" -- "$current")
    set -l found (iotctl _complete $words "$plain" 2> /dev/null)
    if test "$found[1]" = :files
        # A path may be a part of the word: --file=PATH.
        set -l flag (string match -r -- '^--[^=]*=' "$plain")
        set -l path (string replace -r -- '^--[^=]*=' '' "$plain")
        for one in (__fish_complete_path "$path")
            printf '%s\n' "$flag$one"
        end
    else
        printf '%s\n' $found
    end
end
complete -c iotctl -f -a '(__iotctl_complete)'
