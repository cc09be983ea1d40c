# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_iotctl_global_optspecs
    string join \n h/help V/version
end

function __fish_iotctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_iotctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_iotctl_using_subcommand
    set -l cmd (__fish_iotctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c iotctl -n "__fish_iotctl_needs_command" -s h -l help -d 'Print help'
complete -c iotctl -n "__fish_iotctl_needs_command" -s V -l version -d 'Print version'
complete -c iotctl -n "__fish_iotctl_needs_command" -f -a "mqtt" -d 'MQTT 3.1, 3.1.1 and 5: publish, subscribe, and an embedded broker'
complete -c iotctl -n "__fish_iotctl_needs_command" -f -a "coap" -d 'CoAP: requests, observations, discovery, ping, and a server'
complete -c iotctl -n "__fish_iotctl_needs_command" -f -a "completions" -d 'Print the completions for a shell'
complete -c iotctl -n "__fish_iotctl_needs_command" -f -a "man" -d 'Print a man page, for man -l -'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and not __fish_seen_subcommand_from pub sub broker" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and not __fish_seen_subcommand_from pub sub broker" -f -a "pub" -d 'Publish messages and wait until each is acknowledged'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and not __fish_seen_subcommand_from pub sub broker" -f -a "sub" -d 'Subscribe and show what comes'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and not __fish_seen_subcommand_from pub sub broker" -f -a "broker" -d 'Run the embedded broker, for development and tests'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s t -l topic -d 'Topic to publish to; may be repeated: each message goes to each [default: the path of the URL]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s m -l message -d 'Publish this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s f -l file -d 'Publish the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s q -l qos -d 'Quality of service: 0 at most once, 1 at least once, 2 exactly once' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l repeat -d 'Publish it this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l repeat-delay -d 'Wait this long between two of them' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l ack-timeout -d 'Give up when no acknowledgement comes for this long, or never' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 [default: 5, and 311 with a server that does not know 5]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s i -l id -d 'Client identifier [default: made up]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s I -l id-prefix -d 'What a made-up client identifier starts with' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s k -l keepalive -d 'Time after which a silent connection is probed, in whole seconds up to 65535; 0 turns it off' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s x -l session-expiry -d 'Time for which the server keeps the session after the connection ends, or never for no end (MQTT 5)' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s M -l max-inflight -d 'QoS 1 and 2 messages under way at once, 1 to 65535 [default: what the server allows]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l max-packet-size -d 'Largest packet to accept, in bytes such as 64KiB [default: what the protocol allows, 256MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s D -l property -d 'MQTT 5 property of a packet: -D publish content-type text/plain, -D connect user-property NAME VALUE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l will-topic -d 'Topic of the message that the server publishes when this client vanishes' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l will-payload -d 'Its payload [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l will-payload-file -d 'File that holds its payload' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l will-qos -d 'Its quality of service: 0, 1 or 2 [default: 0]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s p -l port -d 'Port, 1 to 65535 [default: 1883, with TLS 8883, with --ws 80 or 443]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, pub 30s, sub forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l ws-header -l header -d 'Header for the WebSocket handshake; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s s -l stdin -d 'Publish the whole of standard input as one message'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s l -l lines -d 'Publish each line of standard input as a message'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s 0 -l null-delimited -d 'Publish each piece of standard input up to a NUL byte as a message'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s n -l null-message -d 'Publish an empty message'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l ndjson -d 'Publish the records on standard input, one JSON object a line, as sub --output json writes them'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l hex -d 'The messages are written in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l base64 -d 'The messages are written in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s r -l retain -d 'Retain the message: the server keeps it for later subscribers'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s c -l persistent -d 'Persistent session: take up the one the server kept under this --id, and leave one behind'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l will-retain -d 'Retain it'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l ws -d 'Speak over WebSocket, as the URL schemes ws and wss do'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s t -l topic -d 'Filter to subscribe to, with options of its own: \'a/#;qos=1;nl;rap;rh=new\'; may be repeated [default: the path of the URL]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s q -l qos -d 'Highest quality of service to be delivered: 0, 1 or 2' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l retain-handling -d 'When retained messages come: always, new (not for a subscription that exists) or never (MQTT 5; for one filter: ;rh=new)' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s U -l unsubscribe -d 'Filter to unsubscribe from in a persistent session; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s T -l filter-out -d 'Leave out messages whose topic matches this filter; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s C -l count -d 'End after this many messages' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s W -l timeout -d 'Fail after this long, with exit code 5' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l for -d 'End after this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l idle -d 'End when nothing came for this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l output -d 'How a message is shown: text, hex and base64 are its payload and a line break; raw its payload only; json one object a line; csv a header and a row each' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s F -l format -d 'Show messages in mosquitto\'s format language, such as \'%I %t %p\'; its sequences stand in iotctl-mqtt-sub(1)' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 [default: 5, and 311 with a server that does not know 5]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s i -l id -d 'Client identifier [default: made up]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s I -l id-prefix -d 'What a made-up client identifier starts with' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s k -l keepalive -d 'Time after which a silent connection is probed, in whole seconds up to 65535; 0 turns it off' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s x -l session-expiry -d 'Time for which the server keeps the session after the connection ends, or never for no end (MQTT 5)' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s M -l max-inflight -d 'QoS 1 and 2 messages under way at once, 1 to 65535 [default: what the server allows]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l max-packet-size -d 'Largest packet to accept, in bytes such as 64KiB [default: what the protocol allows, 256MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s D -l property -d 'MQTT 5 property of a packet: -D publish content-type text/plain, -D connect user-property NAME VALUE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l will-topic -d 'Topic of the message that the server publishes when this client vanishes' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l will-payload -d 'Its payload [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l will-payload-file -d 'File that holds its payload' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l will-qos -d 'Its quality of service: 0, 1 or 2 [default: 0]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s p -l port -d 'Port, 1 to 65535 [default: 1883, with TLS 8883, with --ws 80 or 443]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, pub 30s, sub forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l ws-header -l header -d 'Header for the WebSocket handshake; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l no-local -d 'Leave out what this client published itself (MQTT 5; for one filter: ;nl)'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l retain-as-published -d 'Keep the retain flag as it was published (MQTT 5; for one filter: ;rap)'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s R -l no-retained -d 'Leave out retained messages'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l retained-only -d 'Show retained messages only, and end at the first that is not'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s E -l exit-after-subscribe -d 'End as soon as the subscriptions are acknowledged'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s v -l verbose -d 'Show the topic before each payload (text, hex and base64)'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s N -l no-newline -d 'No line break after each message (text and -F)'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l pretty -d 'JSON over several indented lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s c -l persistent -d 'Persistent session: take up the one the server kept under this --id, and leave one behind'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l will-retain -d 'Retain it'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l ws -d 'Speak over WebSocket, as the URL schemes ws and wss do'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l listen -d 'Where to listen: [mqtt|mqtts|ws|wss://]ADDR:PORT or unix:PATH; port 0 takes a free one, and the first line on standard output says which; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l cert -d 'PEM file of the server\'s certificate chain, for mqtts and wss' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l key -d 'PEM file of the server\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l client-ca -d 'PEM file of certificates; a client must show one that they signed' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l password-file -d 'File of USER:PASSWORD lines, in plain text or as mosquitto_passwd writes them; others are not let in' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l acl-file -d 'File of rights by topic in mosquitto\'s format: user NAME, topic [read|write|readwrite|deny] FILTER, pattern' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-connections -d 'Connected clients at most [default: no limit]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l connect-timeout -d 'Time that a connection may take to send CONNECT [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-packet-size -d 'Largest packet taken, in bytes such as 64KiB [default: what the protocol allows, 256MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l receive-maximum -d 'QoS 1 and 2 messages taken at once from one MQTT 5 client [default: 1000]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-inflight -d 'QoS 1 and 2 messages sent at once to one client [default: 1000]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l topic-alias-maximum -d 'Topic aliases taken from one client [default: 16]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l server-keep-alive -d 'Keep-alive that replaces the one of each MQTT 5 client, in whole seconds; 0 turns it off [default: the client\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-qos -d 'Highest quality of service: 0, 1 or 2 [default: 2]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-queued -d 'QoS 1 and 2 messages that may wait for one client [default: 100k]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-queued-bytes -d 'Bytes that they may hold, such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-buffered-bytes -d 'Bytes that may wait to be written to one client; beyond it QoS 0 messages are dropped [default: 16MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l session-expiry-limit -d 'Time that a session may outlive its connection at most, in whole seconds [default: no limit]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l response-information -d 'What a client that asks for Response Information is told, followed by its identifier (MQTT 5)' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l sys-interval -d 'Time between two rounds of the $SYS topics, or never [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l fault -d 'What to do wrong on purpose: NAME[:KEY=VALUE[,KEY=VALUE]...], from the list below; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l allow-anonymous -d 'Let clients without a user name in, in spite of --password-file'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l refuse-empty-id -d 'Refuse clients without a client identifier instead of assigning one'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l no-retain -d 'Refuse retained messages'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l queue-qos0 -d 'Keep QoS 0 messages for clients that are away, too'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover ping server" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover ping server" -f -a "get" -d 'Ask for what a resource holds'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover ping server" -f -a "put" -d 'Create a resource, or replace what it holds'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover ping server" -f -a "post" -d 'Hand a body to a resource'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover ping server" -f -a "delete" -d 'Remove a resource'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover ping server" -f -a "fetch" -d 'Ask for a part of what a resource holds, described by the body (RFC 8132)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover ping server" -f -a "patch" -d 'Change a part of what a resource holds (RFC 8132)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover ping server" -f -a "ipatch" -d 'Change a part, so that doing it twice is as doing it once (RFC 8132)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover ping server" -f -a "observe" -d 'Show what a resource holds, whenever it changes'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover ping server" -f -a "discover" -d 'List the resources of a server or of a group of servers'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover ping server" -f -a "ping" -d 'Measure round-trip times'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover ping server" -f -a "server" -d 'Run a server of resources, for development and tests'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l if-match -d 'Only if the resource has this ETag: text, or 0x and hexadecimal digits; without one, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l etag-file -d 'File that holds the ETag of what is there already; the answer is shown only if it is another, and its ETag is put there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l if-none-match -d 'Only if the resource does not exist'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l if-match -d 'Only if the resource has this ETag: text, or 0x and hexadecimal digits; without one, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l etag-file -d 'File that holds the ETag of what is there already; the answer is shown only if it is another, and its ETag is put there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s s -l stdin -d 'Send the whole of standard input'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s n -l null-message -d 'Send no body'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l hex -d 'The body is written in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l base64 -d 'The body is written in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l if-none-match -d 'Only if the resource does not exist'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l if-match -d 'Only if the resource has this ETag: text, or 0x and hexadecimal digits; without one, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l etag-file -d 'File that holds the ETag of what is there already; the answer is shown only if it is another, and its ETag is put there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s s -l stdin -d 'Send the whole of standard input'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s n -l null-message -d 'Send no body'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l hex -d 'The body is written in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l base64 -d 'The body is written in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l if-none-match -d 'Only if the resource does not exist'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l if-match -d 'Only if the resource has this ETag: text, or 0x and hexadecimal digits; without one, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l etag-file -d 'File that holds the ETag of what is there already; the answer is shown only if it is another, and its ETag is put there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l if-none-match -d 'Only if the resource does not exist'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l if-match -d 'Only if the resource has this ETag: text, or 0x and hexadecimal digits; without one, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l etag-file -d 'File that holds the ETag of what is there already; the answer is shown only if it is another, and its ETag is put there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s s -l stdin -d 'Send the whole of standard input'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s n -l null-message -d 'Send no body'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l hex -d 'The body is written in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l base64 -d 'The body is written in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l if-none-match -d 'Only if the resource does not exist'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l if-match -d 'Only if the resource has this ETag: text, or 0x and hexadecimal digits; without one, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l etag-file -d 'File that holds the ETag of what is there already; the answer is shown only if it is another, and its ETag is put there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s s -l stdin -d 'Send the whole of standard input'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s n -l null-message -d 'Send no body'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l hex -d 'The body is written in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l base64 -d 'The body is written in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l if-none-match -d 'Only if the resource does not exist'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l if-match -d 'Only if the resource has this ETag: text, or 0x and hexadecimal digits; without one, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l etag-file -d 'File that holds the ETag of what is there already; the answer is shown only if it is another, and its ETag is put there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s s -l stdin -d 'Send the whole of standard input'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s n -l null-message -d 'Send no body'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l hex -d 'The body is written in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l base64 -d 'The body is written in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l if-none-match -d 'Only if the resource does not exist'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s C -l count -d 'End after this many notifications, the first answer included' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s W -l timeout -d 'Fail after this long, with exit code 5' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l for -d 'End after this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l idle -d 'End when nothing came for this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l no-reregister -d 'Do not register again when nothing came within Max-Age'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l no-deregister -d 'Leave without telling the server; the next notification is answered with a reset, if we are still there'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l rt -d 'Only resources of this type; a * at the end stands for any rest' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l if -d 'Only resources with this interface description; a * at the end stands for any rest' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l href -d 'Only resources at this path; a * at the end stands for any rest' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l ct -d 'Only resources with this content format, by number' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l output -d 'How resources are shown: table, json (one object a line), paths, or raw (the answer as it came)' -r -f -a "table\t''
json\t''
paths\t''
raw\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l obs -d 'Only resources that can be observed'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s C -l count -d 'How many pings; 0: until interrupted' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s i -l interval -d 'Time from one to the next' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s W -l timeout -d 'Give an answer up after this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l output -d 'How answers are shown: text, or json, one object a line' -r -f -a "text\t''
json\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l listen -d 'Where to listen: [coap|coaps|coap+tcp|coaps+tcp|coap+ws|coaps+ws://]ADDR:PORT; port 0 takes a free one, and the first line on standard output says which; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l cert -d 'PEM file of the server\'s certificate chain, for coaps, coaps+tcp and coaps+ws' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l key -d 'PEM file of the server\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l client-ca -d 'PEM file of certificates; a client must show one that they signed' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -s r -l resource -d 'A resource: /PATH=KIND[:ARGUMENT], from the list below; may be repeated [default: /counter, /clock, /sensor and /store]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -s d -l directory -d 'Show the files of this directory' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l fault -d 'What to do wrong on purpose to datagrams: NAME[:KEY=VALUE[,KEY=VALUE]...], from the list below; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l writable -d 'Files may be put and deleted'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l plugtest -d 'The resources of the ETSI CoAP plugtest'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -s v -l verbose -d 'Say each request on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand completions" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand man" -l help -d 'Print this page'
