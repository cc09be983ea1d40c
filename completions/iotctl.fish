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
complete -c iotctl -n "__fish_iotctl_needs_command" -f -a "amqp" -d 'AMQP 0-9-1: publish, consume, request and respond, and the topology'
complete -c iotctl -n "__fish_iotctl_needs_command" -f -a "bench" -d 'Load tests, and what is made of their results'
complete -c iotctl -n "__fish_iotctl_needs_command" -f -a "completions" -d 'Print the completions for a shell'
complete -c iotctl -n "__fish_iotctl_needs_command" -f -a "man" -d 'Print a man page, for man -l -'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and not __fish_seen_subcommand_from pub sub broker" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and not __fish_seen_subcommand_from pub sub broker" -f -a "pub" -d 'Publish messages and wait until each is acknowledged'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and not __fish_seen_subcommand_from pub sub broker" -f -a "sub" -d 'Subscribe and show what comes'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and not __fish_seen_subcommand_from pub sub broker" -f -a "broker" -d 'Run the embedded broker, for development and tests'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s t -l topic -d 'Topic to publish to; may be repeated: each message goes to each [default: the path of the URL]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s m -l message -d 'Publish this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s f -l file -d 'Publish the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l template -d 'Publish this text with its places filled in, anew for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
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
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l ws-header -l header -d 'Header for the WebSocket handshake; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s s -l stdin -d 'Publish the whole of standard input as one message'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s l -l lines -d 'Publish each line of standard input as a message'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s 0 -l null-delimited -d 'Publish each piece of standard input up to a NUL byte as a message'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s n -l null-message -d 'Publish an empty message'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l ndjson -d 'Publish the records on standard input, one JSON object a line, as --output json writes them'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l hex -d 'The messages are written in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l base64 -d 'The messages are written in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s r -l retain -d 'Retain the message: the server keeps it for later subscribers'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s c -l persistent -d 'Persistent session: take up the one the server kept under this --id, and leave one behind'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l will-retain -d 'Retain it'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l ws -d 'Speak over WebSocket, as the URL schemes ws and wss do'
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
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l filter -d 'Only messages that fulfil this count: \'payload == 21.5\', \'/temp > 20\', \'topic contains kitchen\'; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l until -d 'End at a message that fulfils this; any other end is a failure, with exit code 7' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l expect -d 'Fail with exit code 7 at a message that does not fulfil this; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l exec -d 'Run this command for each message, with the body as its standard input; all words to the end of the line are the command\'s. The message is acknowledged when it has ended; an exit code other than 0 counts as a refused message. IOTCTL_TOPIC is the topic; IOTCTL_QOS, IOTCTL_RETAIN, IOTCTL_DUPLICATE, IOTCTL_CONTENT_TYPE, IOTCTL_RESPONSE_TOPIC and IOTCTL_CORRELATION_DATA are as their names say' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l workers -d 'Commands that may run at once [default: 1]' -r
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
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l ws-header -l header -d 'Header for the WebSocket handshake; may be repeated' -r
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
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l ws -d 'Speak over WebSocket, as the URL schemes ws and wss do'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l listen -d 'Where to listen: [mqtt|mqtts|ws|wss://]ADDR:PORT or unix:PATH; port 0 takes a free one, and the first line on standard output says which; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l cert -d 'PEM file of the server\'s certificate chain, for the encrypted schemes' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l key -d 'PEM file of the server\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l client-ca -d 'PEM file of certificates; a client must show one that they signed, or one of them' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l password-file -d 'File of USER:PASSWORD lines, in plain text or as mosquitto_passwd writes them; others are not let in. SIGHUP reads it again' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l acl-file -d 'File of rights by topic in mosquitto\'s format: user NAME, topic [read|write|readwrite|deny] FILTER, pattern. SIGHUP reads it again' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-connections -d 'Connected clients at most [default: no limit]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l connect-timeout -d 'Time that a connection may take to send CONNECT [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-packet-size -d 'Largest packet taken, in bytes such as 64KiB [default: what the protocol allows, 256MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l receive-maximum -d 'QoS 1 and 2 messages taken at once from one MQTT 5 client [default: 1000]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-inflight -d 'QoS 1 and 2 messages sent at once to one client [default: 1000]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l topic-alias-maximum -d 'Topic aliases taken from one client [default: 16]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l server-keep-alive -d 'Keep-alive that replaces the one of each MQTT 5 client, in whole seconds; 0 turns it off [default: the client\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-qos -d 'Highest quality of service: 0, 1 or 2 [default: 2]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-queued -d 'QoS 1 and 2 messages that may wait for one client; one more is refused, or before MQTT 5 waits with its acknowledgement [default: 100k]' -r
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
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l end-with-parent -d 'End when the process that started this one does'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "get" -d 'Ask for what a resource holds'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "put" -d 'Create a resource, or replace what it holds'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "post" -d 'Hand a body to a resource'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "delete" -d 'Remove a resource'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "fetch" -d 'Ask for a part of what a resource holds, described by the body (RFC 8132)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "patch" -d 'Change a part of what a resource holds (RFC 8132)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "ipatch" -d 'Change a part, so that doing it twice is as doing it once (RFC 8132)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "observe" -d 'Show what a resource holds, whenever it changes'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "discover" -d 'List the resources of a server or of a group of servers'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "rd" -d 'Register at a resource directory, and find what others registered (RFC 9176)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "ping" -d 'Measure round-trip times'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "server" -d 'Run a server of resources, for development and tests'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l if-match -d 'Only if the resource has this ETag: text, or 0x and hexadecimal digits; without one, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l etag-file -d 'File that holds the ETag of what is there already; the answer is shown only if it is another, and its ETag is put there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l proxy -d 'Ask this proxy, coap://HOST[:PORT] or with another scheme; the URI says what it is to ask for' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l proxy-mode -d 'How the proxy is told: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri where it is not known' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l oscore-secret -d 'Master secret, which turns OSCORE on (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l oscore-secret-file -d 'File that holds the master secret, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l oscore-salt -d 'Master salt, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l oscore-sender-id -d 'Our id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l oscore-recipient-id -d 'The other side\'s id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l oscore-id-context -d 'Id context, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l oscore-state -d 'File that keeps the sender sequence number, which must never be used twice [default: one for each context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l pcap -d 'Keep every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683, decrypted where DTLS or TLS carries it' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s, less once round trips were measured]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l decode -d 'Show what the payload says (text): JSON indented, CBOR in diagnostic notation, SenML and link-format with a line for each entry; the format is the one that the answer names, unless one is given' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l expect -d 'Fail with exit code 7 unless this holds: payload or a JSON pointer such as /temp, then ==, !=, <, <=, >, >= or contains, then a value; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s o -l output-file -d 'Put the body of the answer into this file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l repeat -d 'Ask this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l repeat-delay -d 'Wait this long between two of them' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
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
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l no-uri-host -d 'Do not send the host\'s name (Uri-Host)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l resume -d 'Keep what has come in FILE.part, and go on there where an earlier run was interrupted, if the ETag is still the same (get)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l cbor -d 'Send CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l template -d 'Send this text with its places filled in, anew for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json [default: cbor with --cbor]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l if-match -d 'Only if the resource has this ETag: text, or 0x and hexadecimal digits; without one, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l etag-file -d 'File that holds the ETag of what is there already; the answer is shown only if it is another, and its ETag is put there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l proxy -d 'Ask this proxy, coap://HOST[:PORT] or with another scheme; the URI says what it is to ask for' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l proxy-mode -d 'How the proxy is told: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri where it is not known' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l oscore-secret -d 'Master secret, which turns OSCORE on (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l oscore-secret-file -d 'File that holds the master secret, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l oscore-salt -d 'Master salt, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l oscore-sender-id -d 'Our id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l oscore-recipient-id -d 'The other side\'s id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l oscore-id-context -d 'Id context, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l oscore-state -d 'File that keeps the sender sequence number, which must never be used twice [default: one for each context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l pcap -d 'Keep every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683, decrypted where DTLS or TLS carries it' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s, less once round trips were measured]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l decode -d 'Show what the payload says (text): JSON indented, CBOR in diagnostic notation, SenML and link-format with a line for each entry; the format is the one that the answer names, unless one is given' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l expect -d 'Fail with exit code 7 unless this holds: payload or a JSON pointer such as /temp, then ==, !=, <, <=, >, >= or contains, then a value; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s o -l output-file -d 'Put the body of the answer into this file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l repeat -d 'Ask this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l repeat-delay -d 'Wait this long between two of them' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
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
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l no-uri-host -d 'Do not send the host\'s name (Uri-Host)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l resume -d 'Keep what has come in FILE.part, and go on there where an earlier run was interrupted, if the ETag is still the same (get)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l cbor -d 'Send CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l template -d 'Send this text with its places filled in, anew for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json [default: cbor with --cbor]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l if-match -d 'Only if the resource has this ETag: text, or 0x and hexadecimal digits; without one, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l etag-file -d 'File that holds the ETag of what is there already; the answer is shown only if it is another, and its ETag is put there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l proxy -d 'Ask this proxy, coap://HOST[:PORT] or with another scheme; the URI says what it is to ask for' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l proxy-mode -d 'How the proxy is told: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri where it is not known' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l oscore-secret -d 'Master secret, which turns OSCORE on (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l oscore-secret-file -d 'File that holds the master secret, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l oscore-salt -d 'Master salt, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l oscore-sender-id -d 'Our id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l oscore-recipient-id -d 'The other side\'s id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l oscore-id-context -d 'Id context, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l oscore-state -d 'File that keeps the sender sequence number, which must never be used twice [default: one for each context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l pcap -d 'Keep every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683, decrypted where DTLS or TLS carries it' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s, less once round trips were measured]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l decode -d 'Show what the payload says (text): JSON indented, CBOR in diagnostic notation, SenML and link-format with a line for each entry; the format is the one that the answer names, unless one is given' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l expect -d 'Fail with exit code 7 unless this holds: payload or a JSON pointer such as /temp, then ==, !=, <, <=, >, >= or contains, then a value; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s o -l output-file -d 'Put the body of the answer into this file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l repeat -d 'Ask this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l repeat-delay -d 'Wait this long between two of them' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
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
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l no-uri-host -d 'Do not send the host\'s name (Uri-Host)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l resume -d 'Keep what has come in FILE.part, and go on there where an earlier run was interrupted, if the ETag is still the same (get)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l if-match -d 'Only if the resource has this ETag: text, or 0x and hexadecimal digits; without one, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l etag-file -d 'File that holds the ETag of what is there already; the answer is shown only if it is another, and its ETag is put there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l proxy -d 'Ask this proxy, coap://HOST[:PORT] or with another scheme; the URI says what it is to ask for' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l proxy-mode -d 'How the proxy is told: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri where it is not known' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l oscore-secret -d 'Master secret, which turns OSCORE on (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l oscore-secret-file -d 'File that holds the master secret, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l oscore-salt -d 'Master salt, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l oscore-sender-id -d 'Our id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l oscore-recipient-id -d 'The other side\'s id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l oscore-id-context -d 'Id context, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l oscore-state -d 'File that keeps the sender sequence number, which must never be used twice [default: one for each context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l pcap -d 'Keep every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683, decrypted where DTLS or TLS carries it' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s, less once round trips were measured]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l decode -d 'Show what the payload says (text): JSON indented, CBOR in diagnostic notation, SenML and link-format with a line for each entry; the format is the one that the answer names, unless one is given' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l expect -d 'Fail with exit code 7 unless this holds: payload or a JSON pointer such as /temp, then ==, !=, <, <=, >, >= or contains, then a value; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s o -l output-file -d 'Put the body of the answer into this file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l repeat -d 'Ask this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l repeat-delay -d 'Wait this long between two of them' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
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
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l no-uri-host -d 'Do not send the host\'s name (Uri-Host)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l resume -d 'Keep what has come in FILE.part, and go on there where an earlier run was interrupted, if the ETag is still the same (get)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l cbor -d 'Send CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l template -d 'Send this text with its places filled in, anew for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json [default: cbor with --cbor]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l if-match -d 'Only if the resource has this ETag: text, or 0x and hexadecimal digits; without one, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l etag-file -d 'File that holds the ETag of what is there already; the answer is shown only if it is another, and its ETag is put there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l proxy -d 'Ask this proxy, coap://HOST[:PORT] or with another scheme; the URI says what it is to ask for' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l proxy-mode -d 'How the proxy is told: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri where it is not known' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l oscore-secret -d 'Master secret, which turns OSCORE on (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l oscore-secret-file -d 'File that holds the master secret, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l oscore-salt -d 'Master salt, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l oscore-sender-id -d 'Our id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l oscore-recipient-id -d 'The other side\'s id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l oscore-id-context -d 'Id context, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l oscore-state -d 'File that keeps the sender sequence number, which must never be used twice [default: one for each context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l pcap -d 'Keep every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683, decrypted where DTLS or TLS carries it' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s, less once round trips were measured]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l decode -d 'Show what the payload says (text): JSON indented, CBOR in diagnostic notation, SenML and link-format with a line for each entry; the format is the one that the answer names, unless one is given' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l expect -d 'Fail with exit code 7 unless this holds: payload or a JSON pointer such as /temp, then ==, !=, <, <=, >, >= or contains, then a value; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s o -l output-file -d 'Put the body of the answer into this file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l repeat -d 'Ask this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l repeat-delay -d 'Wait this long between two of them' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
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
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l no-uri-host -d 'Do not send the host\'s name (Uri-Host)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l resume -d 'Keep what has come in FILE.part, and go on there where an earlier run was interrupted, if the ETag is still the same (get)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l cbor -d 'Send CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l template -d 'Send this text with its places filled in, anew for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json [default: cbor with --cbor]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l if-match -d 'Only if the resource has this ETag: text, or 0x and hexadecimal digits; without one, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l etag-file -d 'File that holds the ETag of what is there already; the answer is shown only if it is another, and its ETag is put there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l proxy -d 'Ask this proxy, coap://HOST[:PORT] or with another scheme; the URI says what it is to ask for' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l proxy-mode -d 'How the proxy is told: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri where it is not known' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l oscore-secret -d 'Master secret, which turns OSCORE on (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l oscore-secret-file -d 'File that holds the master secret, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l oscore-salt -d 'Master salt, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l oscore-sender-id -d 'Our id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l oscore-recipient-id -d 'The other side\'s id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l oscore-id-context -d 'Id context, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l oscore-state -d 'File that keeps the sender sequence number, which must never be used twice [default: one for each context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l pcap -d 'Keep every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683, decrypted where DTLS or TLS carries it' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s, less once round trips were measured]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l decode -d 'Show what the payload says (text): JSON indented, CBOR in diagnostic notation, SenML and link-format with a line for each entry; the format is the one that the answer names, unless one is given' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l expect -d 'Fail with exit code 7 unless this holds: payload or a JSON pointer such as /temp, then ==, !=, <, <=, >, >= or contains, then a value; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s o -l output-file -d 'Put the body of the answer into this file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l repeat -d 'Ask this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l repeat-delay -d 'Wait this long between two of them' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
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
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l no-uri-host -d 'Do not send the host\'s name (Uri-Host)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l resume -d 'Keep what has come in FILE.part, and go on there where an earlier run was interrupted, if the ETag is still the same (get)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l cbor -d 'Send CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l template -d 'Send this text with its places filled in, anew for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json [default: cbor with --cbor]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l if-match -d 'Only if the resource has this ETag: text, or 0x and hexadecimal digits; without one, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l etag-file -d 'File that holds the ETag of what is there already; the answer is shown only if it is another, and its ETag is put there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l proxy -d 'Ask this proxy, coap://HOST[:PORT] or with another scheme; the URI says what it is to ask for' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l proxy-mode -d 'How the proxy is told: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri where it is not known' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l oscore-secret -d 'Master secret, which turns OSCORE on (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l oscore-secret-file -d 'File that holds the master secret, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l oscore-salt -d 'Master salt, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l oscore-sender-id -d 'Our id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l oscore-recipient-id -d 'The other side\'s id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l oscore-id-context -d 'Id context, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l oscore-state -d 'File that keeps the sender sequence number, which must never be used twice [default: one for each context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l pcap -d 'Keep every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683, decrypted where DTLS or TLS carries it' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s, less once round trips were measured]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l decode -d 'Show what the payload says (text): JSON indented, CBOR in diagnostic notation, SenML and link-format with a line for each entry; the format is the one that the answer names, unless one is given' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l expect -d 'Fail with exit code 7 unless this holds: payload or a JSON pointer such as /temp, then ==, !=, <, <=, >, >= or contains, then a value; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s o -l output-file -d 'Put the body of the answer into this file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l repeat -d 'Ask this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l repeat-delay -d 'Wait this long between two of them' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
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
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l no-uri-host -d 'Do not send the host\'s name (Uri-Host)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l pretty -d 'JSON over several indented lines (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l resume -d 'Keep what has come in FILE.part, and go on there where an earlier run was interrupted, if the ETag is still the same (get)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l retry -d 'Observe again when the server is lost: never, forever, or for outages up to a TIME' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l keep-alive -d 'Ping the server this often, which keeps the way open through routers and shows whether it is still there' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s C -l count -d 'End after this many notifications, the first answer included' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s W -l timeout -d 'Fail after this long, with exit code 5' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l for -d 'End after this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l idle -d 'End when nothing came for this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l until -d 'End when a notification fulfils this, written as for --expect; any other end is a failure' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l exec -d 'Run this command for each notification instead of showing it, with the payload as its standard input; all words to the end of the line are the command\'s. IOTCTL_TOPIC is the path; IOTCTL_URI, IOTCTL_CODE, IOTCTL_OBSERVE and IOTCTL_CONTENT_TYPE are as their names say' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l cbor -d 'Send CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l template -d 'Send this text with its places filled in, anew for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json [default: cbor with --cbor]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l proxy -d 'Ask this proxy, coap://HOST[:PORT] or with another scheme; the URI says what it is to ask for' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l proxy-mode -d 'How the proxy is told: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri where it is not known' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l oscore-secret -d 'Master secret, which turns OSCORE on (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l oscore-secret-file -d 'File that holds the master secret, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l oscore-salt -d 'Master salt, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l oscore-sender-id -d 'Our id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l oscore-recipient-id -d 'The other side\'s id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l oscore-id-context -d 'Id context, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l oscore-state -d 'File that keeps the sender sequence number, which must never be used twice [default: one for each context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l pcap -d 'Keep every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683, decrypted where DTLS or TLS carries it' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s, less once round trips were measured]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l max-retransmit -d 'Send again at most this often [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l block -d 'Largest block of a body, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l body-limit -d 'Largest body of an answer, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l collect -d 'Time that the members of a multicast group have to answer' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l output -d 'How an answer is shown: text and raw are its payload, hex and base64 spell it, json is one object a line' -r -f -a "text\t''
json\t''
raw\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l decode -d 'Show what the payload says (text): JSON indented, CBOR in diagnostic notation, SenML and link-format with a line for each entry; the format is the one that the answer names, unless one is given' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l expect -d 'Fail with exit code 7 unless this holds: payload or a JSON pointer such as /temp, then ==, !=, <, <=, >, >= or contains, then a value; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
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
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s s -l stdin -d 'Send the whole of standard input'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s n -l null-message -d 'Send no body'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l hex -d 'The body is written in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l base64 -d 'The body is written in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l no-uri-host -d 'Do not send the host\'s name (Uri-Host)'
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
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l output -d 'How resources are shown: table, tree, json (one object a line), paths, or raw (the answer as it came)' -r -f -a "table\t''
tree\t''
json\t''
paths\t''
raw\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l accept -d 'Content format that the answer should have: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l proxy -d 'Ask this proxy, coap://HOST[:PORT] or with another scheme; the URI says what it is to ask for' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l proxy-mode -d 'How the proxy is told: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri where it is not known' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l oscore-secret -d 'Master secret, which turns OSCORE on (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l oscore-secret-file -d 'File that holds the master secret, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l oscore-salt -d 'Master salt, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l oscore-sender-id -d 'Our id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l oscore-recipient-id -d 'The other side\'s id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l oscore-id-context -d 'Id context, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l oscore-state -d 'File that keeps the sender sequence number, which must never be used twice [default: one for each context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l pcap -d 'Keep every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683, decrypted where DTLS or TLS carries it' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s W -l timeout -d 'Give up when no answer comes for this long; 0: as long as RFC 7252 has it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long [default: 2s, less once round trips were measured]' -r
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
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
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
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s R -l recursive -d 'Ask for the lists too that its links name (content format 40), on the same server'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from rd" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from rd" -f -a "register" -d 'Register an endpoint and its links, and print the URI of the registration'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from rd" -f -a "update" -d 'Make a registration last longer, or change what is said of it'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from rd" -f -a "remove" -d 'Take a registration away'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from rd" -f -a "lookup" -d 'Find resources or endpoints'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s C -l count -d 'How many pings; 0: until interrupted' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s i -l interval -d 'Time from one to the next' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s W -l timeout -d 'Give an answer up after this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l output -d 'How answers are shown: text, or json, one object a line' -r -f -a "text\t''
json\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l pcap -d 'Keep every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683, decrypted where DTLS or TLS carries it' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
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
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l leisure -d 'Answer requests to a group some time within this span' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l cert -d 'PEM file of the server\'s certificate chain, for the encrypted schemes' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l key -d 'PEM file of the server\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l client-ca -d 'PEM file of certificates; a client must show one that they signed, or one of them' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l oscore-secret -d 'Master secret, which turns OSCORE on (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l oscore-secret-file -d 'File that holds the master secret, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l oscore-salt -d 'Master salt, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l oscore-sender-id -d 'Our id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l oscore-recipient-id -d 'The other side\'s id, spelled alike, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l oscore-id-context -d 'Id context, spelled alike' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l oscore-state -d 'File that keeps the sender sequence number, which must never be used twice [default: one for each context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -s r -l resource -d 'A resource: /PATH=KIND[:ARGUMENT], from the list below; may be repeated [default: /counter, /clock, /sensor and /store]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -s d -l directory -d 'Show the files of this directory' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l fault -d 'What to do wrong on purpose to messages: NAME[:KEY=VALUE[,KEY=VALUE]...], from the list below; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l multicast -d 'Also take requests to the groups of all CoAP nodes (224.0.1.187, ff02::fd, ff05::fd) on the network interface of each coap:// listener'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l challenge -d 'Answer nobody over UDP before it has shown that its address is its own (Echo, RFC 9175), so that a forged one makes no amplifier of the server'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l writable -d 'Files may be put and deleted'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l plugtest -d 'The resources of the ETSI CoAP plugtest'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -s v -l verbose -d 'Say each request on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l end-with-parent -d 'End when the process that started this one does'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "publish" -d 'Publish messages and wait until each is confirmed'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "consume" -d 'Show what comes to a queue or an exchange, and acknowledge it'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "tap" -d 'Show copies of what passes an exchange, without taking anything away'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "get" -d 'Take what a queue has, without waiting for more'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "request" -d 'Send requests and show their answers'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "respond" -d 'Answer requests: by echo, with a text, or with what a command writes'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "declare" -d 'Make a queue or an exchange, or check that it is there'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "delete" -d 'Take a queue or an exchange away'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "bind" -d 'Let an exchange hand messages on to a queue or another exchange'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "unbind" -d 'Take such a binding away'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "apply" -d 'Make exchanges, queues and bindings what a file describes, or check that they are'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "purge" -d 'Throw away the messages of a queue'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "ping" -d 'Connect, log in and measure round trips, as a health check'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "broker" -d 'Run the embedded broker, for development and tests'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s e -l exchange -d 'Exchange to publish to [default: the default exchange, where the routing key is the name of a queue]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s k -l routing-key -d 'Routing key; may be repeated: each message goes out under each' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l address -d 'Where to, in the words of a server of AMQP 1.0, such as /queue/orders or a plain name; instead of -e and -k, and speaks 1.0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s m -l message -d 'Publish this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s f -l file -d 'Publish the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l template -d 'Publish this text with its places filled in, anew for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l window -d 'Messages that may wait for their confirmation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l rate -d 'Messages a second at most [default: as many as the server takes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l speed -d 'How fast to replay: 2 is twice as fast as it was recorded [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l repeat -d 'Publish it this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l repeat-delay -d 'Wait this long between two of them' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l ack-timeout -d 'Give up when no confirmation comes for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l exchange-type -d 'Type of the exchange that is declared: direct, fanout, topic, headers or a plugin\'s [default: direct]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l content-type -d 'MIME type of the body' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l content-encoding -d 'How the body is packed, such as gzip' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l header -d 'Header, typed by its look or as NAME:TYPE=VALUE: string, int, int32, bool, double, decimal, time, hex, base64, json, null; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l priority -d 'Priority, for queues that have some; 0 is the lowest' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l expiration -d 'Lifetime in a queue, such as 30s, in whole milliseconds' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l message-id -d 'The application\'s identifier for the message' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l timestamp -d 'Seconds since 1970' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l message-type -d 'What kind of message it is for the application: the property type' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l user-id -d 'The publisher\'s user name, which the server checks' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l app-id -d 'The publishing application' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l correlation-id -d 'What an answer is to carry' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l reply-to -d 'Queue that an answer is to go to' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l protocol -d 'Which AMQP to speak: two protocols share the name; auto takes 0-9-1, and 1.0 where the server speaks only that; publish, consume and ping have 1.0' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l vhost -d 'Virtual host [default: the path of the URL, else /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l auth -d 'How to log in [default: external with a --cert and no user name, else plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l heartbeat -d 'Time between heartbeats, in whole seconds up to 65535; the server may ask for less; 0 leaves it to the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l frame-max -d 'Largest frame, in bytes such as 128KiB, at least 4096; more than 1MiB is taken for 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l connection-name -d 'The connection\'s name in the server\'s lists [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l answer-timeout -d 'Give up when the server does not answer a request for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s s -l stdin -d 'Publish the whole of standard input as one message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s l -l lines -d 'Publish each line of standard input as a message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s 0 -l null-delimited -d 'Publish each piece of standard input up to a NUL byte as a message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s n -l null-message -d 'Publish an empty message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l ndjson -d 'Publish the records on standard input, one JSON object a line, as --output json writes them'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l hex -d 'The messages are written in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l base64 -d 'The messages are written in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l mandatory -d 'A message that no queue gets is a failure'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l no-confirm -d 'Do not wait until the server has confirmed each message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l replay -d 'Publish the records of --ndjson with the gaps that their times have, instead of as fast as it goes'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l declare -d 'First declare what is sent to, durable: the exchange of -e, or the queues that the routing keys name'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l persistent -d 'Keep the message on disk: delivery mode 2'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s e -l exchange -d 'Exchange to bind the queue to first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l address -d 'From where, in the words of a server of AMQP 1.0, such as /queue/orders or a plain name; instead of QUEUE, and speaks 1.0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s k -l routing-key -d 'Binding key, such as *.error; may be repeated [default: #, which is everything of a topic or fanout exchange]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l ack -d 'What becomes of a message that was shown: ack; auto acknowledges before; nack and reject drop it or make it a dead letter; requeue gives it back at once; peek at the end' -r -f -a "ack\t''
auto\t''
nack\t''
reject\t''
requeue\t''
peek\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l prefetch -d 'Messages that the server may send ahead of their acknowledgement, 1 to 65535 [default: 100; with --exec, the workers]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l priority -d 'Consumers with a higher number are served first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l offset -d 'Where in a stream to begin: first, last, next, a number, @SECONDS since 1970, or an interval such as 1h' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l consumer-tag -d 'The consumer\'s name [default: made up by the server]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l argument -d 'Argument of the consumer, typed as in `amqp declare`; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l exec -d 'Run this command for each message, with the body as its standard input; all words to the end of the line are the command\'s. Its exit code 0 acknowledges the message, any other gives it back. IOTCTL_TOPIC is the routing key; IOTCTL_EXCHANGE, IOTCTL_REDELIVERED, IOTCTL_MESSAGE_ID, IOTCTL_CORRELATION_ID, IOTCTL_CONTENT_TYPE and IOTCTL_REPLY_TO are as their names say' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l workers -d 'Commands that may run at once [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l filter -d 'Only messages that fulfil this count: \'payload == 21.5\', \'/temp > 20\', \'topic contains kitchen\'; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l until -d 'End at a message that fulfils this; any other end is a failure, with exit code 7' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l expect -d 'Fail with exit code 7 at a message that does not fulfil this; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s C -l count -d 'End after this many messages' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s W -l timeout -d 'Fail after this long, with exit code 5' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l for -d 'End after this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l idle -d 'End when nothing came for this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l output -d 'How a message is shown: text, hex and base64 are its payload and a line break; raw its payload only; json one object a line; csv a header and a row each' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s F -l format -d 'Show messages in mosquitto\'s format language, such as \'%I %t %p\'; its sequences stand in iotctl-mqtt-sub(1)' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l protocol -d 'Which AMQP to speak: two protocols share the name; auto takes 0-9-1, and 1.0 where the server speaks only that; publish, consume and ping have 1.0' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l vhost -d 'Virtual host [default: the path of the URL, else /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l auth -d 'How to log in [default: external with a --cert and no user name, else plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l heartbeat -d 'Time between heartbeats, in whole seconds up to 65535; the server may ask for less; 0 leaves it to the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l frame-max -d 'Largest frame, in bytes such as 128KiB, at least 4096; more than 1MiB is taken for 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l connection-name -d 'The connection\'s name in the server\'s lists [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l answer-timeout -d 'Give up when the server does not answer a request for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l declare -d 'First declare the queue, durable and without arguments; for others there is `amqp declare queue`'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l exclusive -d 'Nobody else may consume from the queue'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l decompress -d 'Undo gzip and deflate where the content encoding names them; a message that is not what it says is shown as it came'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l requeue -d 'A message whose command failed goes back to the queue; else it is dropped or becomes a dead letter'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s v -l verbose -d 'Show the topic before each payload (text, hex and base64)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s N -l no-newline -d 'No line break after each message (text and -F)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l pretty -d 'JSON over several indented lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s k -l routing-key -d 'Key of the messages to copy, such as *.error; may be repeated [default: #, which is everything of a topic or fanout exchange]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l exec -d 'Run this command for each message, with the body as its standard input; all words to the end of the line are the command\'s. Its exit code 0 acknowledges the message, any other gives it back. IOTCTL_TOPIC is the routing key; IOTCTL_EXCHANGE, IOTCTL_REDELIVERED, IOTCTL_MESSAGE_ID, IOTCTL_CORRELATION_ID, IOTCTL_CONTENT_TYPE and IOTCTL_REPLY_TO are as their names say' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l workers -d 'Commands that may run at once [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l filter -d 'Only messages that fulfil this count: \'payload == 21.5\', \'/temp > 20\', \'topic contains kitchen\'; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l until -d 'End at a message that fulfils this; any other end is a failure, with exit code 7' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l expect -d 'Fail with exit code 7 at a message that does not fulfil this; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s C -l count -d 'End after this many messages' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s W -l timeout -d 'Fail after this long, with exit code 5' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l for -d 'End after this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l idle -d 'End when nothing came for this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l output -d 'How a message is shown: text, hex and base64 are its payload and a line break; raw its payload only; json one object a line; csv a header and a row each' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s F -l format -d 'Show messages in mosquitto\'s format language, such as \'%I %t %p\'; its sequences stand in iotctl-mqtt-sub(1)' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l protocol -d 'Which AMQP to speak: two protocols share the name; auto takes 0-9-1, and 1.0 where the server speaks only that; publish, consume and ping have 1.0' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l vhost -d 'Virtual host [default: the path of the URL, else /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l auth -d 'How to log in [default: external with a --cert and no user name, else plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l heartbeat -d 'Time between heartbeats, in whole seconds up to 65535; the server may ask for less; 0 leaves it to the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l frame-max -d 'Largest frame, in bytes such as 128KiB, at least 4096; more than 1MiB is taken for 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l connection-name -d 'The connection\'s name in the server\'s lists [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l answer-timeout -d 'Give up when the server does not answer a request for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l firehose -d 'Tap all exchanges and queues, by RabbitMQ\'s firehose (turned on by `rabbitmqctl trace_on`); then KEY is publish.EXCHANGE or deliver.QUEUE'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l decompress -d 'Undo gzip and deflate where the content encoding names them; a message that is not what it says is shown as it came'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l requeue -d 'A message whose command failed goes back to the queue; else it is dropped or becomes a dead letter'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s v -l verbose -d 'Show the topic before each payload (text, hex and base64)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s N -l no-newline -d 'No line break after each message (text and -F)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l pretty -d 'JSON over several indented lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s C -l count -d 'Take at most this many messages [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l ack -d 'What becomes of a message that was shown: ack; auto acknowledges before; nack and reject drop it or make it a dead letter; requeue and peek give it back at the end' -r -f -a "ack\t''
auto\t''
nack\t''
reject\t''
requeue\t''
peek\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l output -d 'How a message is shown: text, hex and base64 are its payload and a line break; raw its payload only; json one object a line; csv a header and a row each' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s F -l format -d 'Show messages in mosquitto\'s format language, such as \'%I %t %p\'; its sequences stand in iotctl-mqtt-sub(1)' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l protocol -d 'Which AMQP to speak: two protocols share the name; auto takes 0-9-1, and 1.0 where the server speaks only that; publish, consume and ping have 1.0' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l vhost -d 'Virtual host [default: the path of the URL, else /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l auth -d 'How to log in [default: external with a --cert and no user name, else plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l heartbeat -d 'Time between heartbeats, in whole seconds up to 65535; the server may ask for less; 0 leaves it to the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l frame-max -d 'Largest frame, in bytes such as 128KiB, at least 4096; more than 1MiB is taken for 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l connection-name -d 'The connection\'s name in the server\'s lists [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l answer-timeout -d 'Give up when the server does not answer a request for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l declare -d 'First declare the queue, durable and without arguments'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l all -d 'Take messages until the queue is empty'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Show the topic before each payload (text, hex and base64)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s N -l no-newline -d 'No line break after each message (text and -F)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l pretty -d 'JSON over several indented lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s k -l routing-key -d 'The same as the argument KEY' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s e -l exchange -d 'Exchange to ask through [default: the default exchange]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s m -l message -d 'Publish this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s f -l file -d 'Publish the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l template -d 'Publish this text with its places filled in, anew for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l reply-to -d 'Queue that answers come to; it must be there [default: none is needed, by direct reply-to]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s W -l timeout -d 'Fail when an answer takes longer than this, with exit code 5' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l exchange-type -d 'Type of the exchange that is declared: direct, fanout, topic, headers or a plugin\'s [default: direct]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l content-type -d 'MIME type of the body' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l content-encoding -d 'How the body is packed, such as gzip' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l header -d 'Header, typed by its look or as NAME:TYPE=VALUE: string, int, int32, bool, double, decimal, time, hex, base64, json, null; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l priority -d 'Priority, for queues that have some; 0 is the lowest' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l expiration -d 'Lifetime in a queue, such as 30s, in whole milliseconds' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l message-id -d 'The application\'s identifier for the message' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l timestamp -d 'Seconds since 1970' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l message-type -d 'What kind of message it is for the application: the property type' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l user-id -d 'The publisher\'s user name, which the server checks' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l app-id -d 'The publishing application' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l output -d 'How a message is shown: text, hex and base64 are its payload and a line break; raw its payload only; json one object a line; csv a header and a row each' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s F -l format -d 'Show messages in mosquitto\'s format language, such as \'%I %t %p\'; its sequences stand in iotctl-mqtt-sub(1)' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l protocol -d 'Which AMQP to speak: two protocols share the name; auto takes 0-9-1, and 1.0 where the server speaks only that; publish, consume and ping have 1.0' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l vhost -d 'Virtual host [default: the path of the URL, else /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l auth -d 'How to log in [default: external with a --cert and no user name, else plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l heartbeat -d 'Time between heartbeats, in whole seconds up to 65535; the server may ask for less; 0 leaves it to the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l frame-max -d 'Largest frame, in bytes such as 128KiB, at least 4096; more than 1MiB is taken for 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l connection-name -d 'The connection\'s name in the server\'s lists [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l answer-timeout -d 'Give up when the server does not answer a request for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s s -l stdin -d 'Publish the whole of standard input as one message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s l -l lines -d 'Publish each line of standard input as a message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s 0 -l null-delimited -d 'Publish each piece of standard input up to a NUL byte as a message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s n -l null-message -d 'Publish an empty message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l ndjson -d 'Publish the records on standard input, one JSON object a line, as --output json writes them'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l hex -d 'The messages are written in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l base64 -d 'The messages are written in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l declare -d 'First declare what is sent to, durable: the exchange of -e, or the queues that the routing keys name'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l persistent -d 'Keep the message on disk: delivery mode 2'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s v -l verbose -d 'Show the topic before each payload (text, hex and base64)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s N -l no-newline -d 'No line break after each message (text and -F)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l pretty -d 'JSON over several indented lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l embed-json -d 'A payload that is JSON stands as it is, as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s m -l message -d 'Answer with this text; with --exec the answer is what the command writes' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s C -l count -d 'End after this many requests' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l for -d 'End after this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l exec -d 'Run this command for each message, with the body as its standard input; all words to the end of the line are the command\'s. Its exit code 0 acknowledges the message, any other gives it back. IOTCTL_TOPIC is the routing key; IOTCTL_EXCHANGE, IOTCTL_REDELIVERED, IOTCTL_MESSAGE_ID, IOTCTL_CORRELATION_ID, IOTCTL_CONTENT_TYPE and IOTCTL_REPLY_TO are as their names say' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l workers -d 'Commands that may run at once [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l content-type -d 'MIME type of the body' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l content-encoding -d 'How the body is packed, such as gzip' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l header -d 'Header, typed by its look or as NAME:TYPE=VALUE: string, int, int32, bool, double, decimal, time, hex, base64, json, null; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l priority -d 'Priority, for queues that have some; 0 is the lowest' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l expiration -d 'Lifetime in a queue, such as 30s, in whole milliseconds' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l message-id -d 'The application\'s identifier for the message' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l timestamp -d 'Seconds since 1970' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l message-type -d 'What kind of message it is for the application: the property type' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l user-id -d 'The publisher\'s user name, which the server checks' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l app-id -d 'The publishing application' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l protocol -d 'Which AMQP to speak: two protocols share the name; auto takes 0-9-1, and 1.0 where the server speaks only that; publish, consume and ping have 1.0' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l vhost -d 'Virtual host [default: the path of the URL, else /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l auth -d 'How to log in [default: external with a --cert and no user name, else plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l heartbeat -d 'Time between heartbeats, in whole seconds up to 65535; the server may ask for less; 0 leaves it to the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l frame-max -d 'Largest frame, in bytes such as 128KiB, at least 4096; more than 1MiB is taken for 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l connection-name -d 'The connection\'s name in the server\'s lists [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l answer-timeout -d 'Give up when the server does not answer a request for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l declare -d 'First declare the queue, durable and without arguments'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l echo -d 'Answer with the request itself'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l requeue -d 'A message whose command failed goes back to the queue; else it is dropped or becomes a dead letter'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l persistent -d 'Keep the message on disk: delivery mode 2'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from declare" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from declare" -f -a "queue" -d 'Make a queue and print its name, messages and consumers'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from declare" -f -a "exchange" -d 'Make an exchange'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from delete" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from delete" -f -a "queue" -d 'Take a queue away, with its messages'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from delete" -f -a "exchange" -d 'Take an exchange away'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s e -l exchange -d 'Exchange that they come from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l to-exchange -d 'Exchange that gets the messages, instead of a queue' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s k -l routing-key -d 'Binding key, such as *.error; may be repeated [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l argument -d 'Argument, such as x-match=any and the headers to match; typed as in `amqp declare`; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l protocol -d 'Which AMQP to speak: two protocols share the name; auto takes 0-9-1, and 1.0 where the server speaks only that; publish, consume and ping have 1.0' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l vhost -d 'Virtual host [default: the path of the URL, else /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l auth -d 'How to log in [default: external with a --cert and no user name, else plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l heartbeat -d 'Time between heartbeats, in whole seconds up to 65535; the server may ask for less; 0 leaves it to the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l frame-max -d 'Largest frame, in bytes such as 128KiB, at least 4096; more than 1MiB is taken for 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l connection-name -d 'The connection\'s name in the server\'s lists [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l answer-timeout -d 'Give up when the server does not answer a request for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s e -l exchange -d 'Exchange that they come from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l to-exchange -d 'Exchange that gets the messages, instead of a queue' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s k -l routing-key -d 'Binding key, such as *.error; may be repeated [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l argument -d 'Argument, such as x-match=any and the headers to match; typed as in `amqp declare`; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l protocol -d 'Which AMQP to speak: two protocols share the name; auto takes 0-9-1, and 1.0 where the server speaks only that; publish, consume and ping have 1.0' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l vhost -d 'Virtual host [default: the path of the URL, else /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l auth -d 'How to log in [default: external with a --cert and no user name, else plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l heartbeat -d 'Time between heartbeats, in whole seconds up to 65535; the server may ask for less; 0 leaves it to the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l frame-max -d 'Largest frame, in bytes such as 128KiB, at least 4096; more than 1MiB is taken for 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l connection-name -d 'The connection\'s name in the server\'s lists [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l answer-timeout -d 'Give up when the server does not answer a request for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l output -d 'How results are shown: text, or json one object a line' -r -f -a "text\t''
json\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l protocol -d 'Which AMQP to speak: two protocols share the name; auto takes 0-9-1, and 1.0 where the server speaks only that; publish, consume and ping have 1.0' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l vhost -d 'Virtual host [default: the path of the URL, else /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l auth -d 'How to log in [default: external with a --cert and no user name, else plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l heartbeat -d 'Time between heartbeats, in whole seconds up to 65535; the server may ask for less; 0 leaves it to the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l frame-max -d 'Largest frame, in bytes such as 128KiB, at least 4096; more than 1MiB is taken for 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l connection-name -d 'The connection\'s name in the server\'s lists [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l answer-timeout -d 'Give up when the server does not answer a request for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l check -d 'Change nothing; fail unless exchanges and queues are as described (bindings cannot be seen over AMQP)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l output -d 'How results are shown: text, or json one object a line' -r -f -a "text\t''
json\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l protocol -d 'Which AMQP to speak: two protocols share the name; auto takes 0-9-1, and 1.0 where the server speaks only that; publish, consume and ping have 1.0' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l vhost -d 'Virtual host [default: the path of the URL, else /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l auth -d 'How to log in [default: external with a --cert and no user name, else plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l heartbeat -d 'Time between heartbeats, in whole seconds up to 65535; the server may ask for less; 0 leaves it to the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l frame-max -d 'Largest frame, in bytes such as 128KiB, at least 4096; more than 1MiB is taken for 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l connection-name -d 'The connection\'s name in the server\'s lists [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l answer-timeout -d 'Give up when the server does not answer a request for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -s C -l count -d 'Round trips [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l interval -d 'Time between two round trips [default: 1s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l output -d 'How results are shown: text, or json one object a line' -r -f -a "text\t''
json\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l protocol -d 'Which AMQP to speak: two protocols share the name; auto takes 0-9-1, and 1.0 where the server speaks only that; publish, consume and ping have 1.0' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l vhost -d 'Virtual host [default: the path of the URL, else /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l auth -d 'How to log in [default: external with a --cert and no user name, else plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l heartbeat -d 'Time between heartbeats, in whole seconds up to 65535; the server may ask for less; 0 leaves it to the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l frame-max -d 'Largest frame, in bytes such as 128KiB, at least 4096; more than 1MiB is taken for 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l connection-name -d 'The connection\'s name in the server\'s lists [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l answer-timeout -d 'Give up when the server does not answer a request for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l listen -d 'Where to listen: [amqp|amqps://]ADDR:PORT or unix:PATH; port 0 takes a free one, and the first line on standard output says which; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l cert -d 'PEM file of the server\'s certificate chain, for the encrypted schemes' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l key -d 'PEM file of the server\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l client-ca -d 'PEM file of certificates; a client must show one that they signed, or one of them' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l user -d 'A user who is let in; others are not; may be repeated. Whoever lists the processes of this machine sees the password [default: everyone]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l password-file -d 'File of USER:PASSWORD lines, in plain text or as mosquitto_passwd writes them; others are not let in. SIGHUP reads it again' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l vhost -d 'A virtual host; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l max-connections -d 'Connected clients at most [default: no limit]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l connect-timeout -d 'Time that a connection may take to log in [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l heartbeat -d 'Seconds between heartbeats that are offered to clients; 0 for none [default: 60]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l channel-max -d 'Channels of one connection at most; 0 for no limit [default: 2047]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l max-message-size -d 'Largest message body taken, such as 1MiB [default: 128MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l max-memory -d 'Memory that all messages may hold; beyond it publishers are held back until some are consumed [default: 1GiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l fault -d 'What to do wrong on purpose: NAME[:KEY=VALUE[,KEY=VALUE]...], from the list below; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l end-with-parent -d 'End when the process that started this one does'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -f -a "mqtt" -d 'Load an MQTT broker'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -f -a "amqp" -d 'Load an AMQP server'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -f -a "coap" -d 'Load a CoAP server'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -f -a "run" -d 'Run the load test that a file describes'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -f -a "report" -d 'Show a kept result in any form'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -f -a "compare" -d 'Compare two sets of runs'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -f -a "merge" -d 'Make one result from those of several workers'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l scenario -d 'Who sends what to whom, from the list below; the defaults of other flags follow from it' -r -f -a "publish\t''
fan-in\t''
fan-out\t''
one-to-one\t''
many-to-many\t''
idle\t''
churn\t''
subscribe\t''
retained\t''
retained-storm\t''
backlog\t''
wills\t''
request\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l publishers -d 'Connections that send [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l subscribers -d 'Connections that receive [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s t -l topic -d 'Topic to publish to: {client} is the client\'s number, {seq} the message\'s, {group} the client\'s group [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l filter -d 'Filter to subscribe to [default: what matches --topic]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l groups -d 'How many values {group} has' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s q -l qos -d 'Quality of service of messages: 0 at most once, 1 at least once, 2 exactly once' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l sub-qos -d 'Quality of service of subscriptions [default: the one of messages]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l size -d 'Bytes of each message, or a range such as 64-1KiB; from 24 on there is room for all that is measured' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l template -d 'Send this text, with {client}, {seq}, {time}, {unix_ms}, {random:LOW-HIGH} and {uuid} filled in; other braces are text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l shared-group -d 'Subscribers share one subscription of this name: each message goes to one of them' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l retained-messages -d 'In the retained-storm scenario: messages that each client has retained' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l away -d 'In the backlog scenario: how long subscribers are away, and between that' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s I -l id-prefix -d 'What client identifiers start with; a number follows [default: made up]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s k -l keepalive -d 'Time after which a silent connection is probed, in whole seconds up to 65535; 0 turns it off' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l rate -d 'Messages in a second over all senders, sent when they are due whatever the peer does: 1000, 10k, 0.5, 30/m' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l ramp -d 'Reach --rate evenly from 0 in this time' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l stage -d 'A stretch of the load: TIME:RATE, TIME:RATE-RATE for a ramp, or RATE to the end; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l arrivals -d 'How sends are spread in time: constant, uniform, poisson, devices, bursts:TIME, or recorded:FILE with a gap, or a record with its time, on each line' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s M -l window -l max-inflight -d 'Messages that await their acknowledgement on one connection at most, 1 to 65535' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l ack-timeout -d 'Give a message up that is not acknowledged in this time: it has timed out, and leaves its place in the window' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l think -d 'Pause between an acknowledgement and the next message, with --max' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s d -l duration -d 'How long to measure [default: 10s; with --count or --stage, until they are done]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l count -d 'How many messages to send over all senders' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l warmup -d 'Send this long before measuring; it is not in the figures' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l drain -d 'Wait this long at most for what is still under way when sending has ended' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l interval -d 'Time between two points of the time series and two live lines' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l threads -d 'Worker threads, 1 to 1024' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l coalesce -d 'Gather reads: never, adaptive, or a TIME such as 500us [default: adaptive with --max, else never]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l connect-rate -d 'New connections in a second [default: as fast as they come]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l shard -d 'Do this part of the whole load: INDEX/COUNT, from 0 [default: IOTCTL_SHARD; JOB_COMPLETION_INDEX with IOTCTL_SHARDS; SLURM_PROCID with SLURM_NTASKS]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l start-at -d 'Begin to send at this moment, so that shards begin together: 2026-11-20T21:00:00Z, or seconds since 1970' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l run-id -d 'Number of the run, the same for all its shards [default: IOTCTL_RUN; SLURM_JOB_ID; without shards a new one each time]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l clock-error -d 'How far the clocks of the shards\' machines are apart at most; without it shards do not report end-to-end latency, 0 is for shards on one machine' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l seed -d 'Number that makes everything random repeatable' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l assert -d 'What a run must reach, such as \'p99 < 20ms\', from the quantities below; a miss is exit code 7; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s o -l output -d 'What standard output shows' -r -f -a "text\t''
json\t''
csv\t''
hlog\t''
prometheus\t''
html\t''
markdown\t''
junit\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l save-json -d 'Write the result to a file too, for bench report, compare and merge' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l html -d 'Write a page with plots to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l csv -d 'Write the time series to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l hlog -d 'Write the distributions to a file, as an HdrHistogram V2 log' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l markdown -d 'Write a summary for a code review to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l junit -d 'Write the thresholds to a file, as JUnit test cases' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l prometheus-listen -d 'Serve the figures to Prometheus at http://ADDR:PORT/metrics while the run goes on' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s p -l port -d 'Port, 1 to 65535 [default: 1883, with TLS 8883, with --ws 80 or 443]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l ws-header -l header -d 'Header for the WebSocket handshake; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s A -l bind -d 'Local IP addresses to connect from, in turn, each with up to 64,000 connections' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, pub 30s, sub forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l embedded -d 'Start a broker of our own for the run, in a process of its own'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l calibrate -d 'Instead of a broker, load a peer that only answers: what this machine\'s generator reaches at best'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l stamp-property -d 'Send what receivers measure latency and loss with in a user property (MQTT 5), so that bodies stay as they are'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l stamp -d 'Overwrite the first 24 bytes of --file or --message by what receivers measure latency and loss with'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s r -l retain -d 'Retain messages'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l clean -d 'Begin with a clean session [default]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s c -l no-clean -d 'Keep sessions over lost connections'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l max -d 'Send as fast as --window allows [default without --rate and --stage]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l find-max -d 'Search the highest rate that keeps every --assert and loses nothing, in runs of --duration, beginning at --rate [default: 1k]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l no-resumption -d 'Do a full TLS handshake for each connection instead of going on with an earlier session where the server allows it'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l abort-on-miss -d 'End the run as soon as an interval misses a threshold'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l ws -d 'Speak over WebSocket, as the URL schemes ws and wss do'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l scenario -d 'Who does what, from the list below; the defaults of other flags follow from it' -r -f -a "publish-consume\t''
publish\t''
fan-in\t''
fan-out\t''
one-to-one\t''
request\t''
idle\t''
connection-churn\t''
channel-churn\t''
queue-churn\t''
consumer-churn\t''
bind-churn\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l producers -d 'Connections that publish, or do what the scenario is about [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l consumers -d 'Connections that consume [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l channels -d 'Channels of each connection, which take turns' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l queue -d 'Queue, made for the run and deleted after it; {queue} is its number [default: made up]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l queues -d 'How many queues there are; connections and channels are spread over them [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l queue-type -d 'Type of the queues' -r -f -a "classic\t''
quorum\t''
stream\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l argument -d 'Argument of the queues, typed as in `amqp declare`; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s e -l exchange -d 'Exchange to publish to and to bind the queues to [default: the default exchange; with --type a made-up one]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l type -d 'Type of the exchange: direct, fanout, topic, headers, or x-... of a plugin [default: direct]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s k -l routing-key -d 'Routing key: {client} is the producer\'s number, {seq} the message\'s, {queue} the queue\'s [default: the queue\'s name]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l size -d 'Bytes of each message, or a range such as 64-1KiB; from 24 on there is room for all that is measured' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l prefetch -d 'Messages that the server may send ahead of their acknowledgement, up to 65535; 0: no limit' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l multi-ack -d 'Acknowledge so many messages at once, or what there is when none has followed for a second' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l consumer-latency -d 'Work so long on each message, one after the other, before acknowledging it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l nack -d 'Refuse this share of the messages, such as 10%' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l get -d 'Ask for messages one by one (basic.get), with this pause when there is none' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l offset -d 'Where in a stream to begin: first, last, next, a number, @SECONDS since 1970, or an interval such as 1h' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l rate -d 'Messages in a second over all senders, sent when they are due whatever the peer does: 1000, 10k, 0.5, 30/m' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l ramp -d 'Reach --rate evenly from 0 in this time' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l stage -d 'A stretch of the load: TIME:RATE, TIME:RATE-RATE for a ramp, or RATE to the end; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l arrivals -d 'How sends are spread in time: constant, uniform, poisson, devices, bursts:TIME, or recorded:FILE with a gap, or a record with its time, on each line' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s M -l window -l max-inflight -d 'Messages that await their acknowledgement on one connection at most, 1 to 65535' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l ack-timeout -d 'Give a message up that is not acknowledged in this time: it has timed out, and leaves its place in the window' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l think -d 'Pause between an acknowledgement and the next message, with --max' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s d -l duration -d 'How long to measure [default: 10s; with --count or --stage, until they are done]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l count -d 'How many messages to send over all senders' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l warmup -d 'Send this long before measuring; it is not in the figures' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l drain -d 'Wait this long at most for what is still under way when sending has ended' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l interval -d 'Time between two points of the time series and two live lines' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l threads -d 'Worker threads, 1 to 1024' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l coalesce -d 'Gather reads: never, adaptive, or a TIME such as 500us [default: adaptive with --max, else never]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l connect-rate -d 'New connections in a second [default: as fast as they come]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l shard -d 'Do this part of the whole load: INDEX/COUNT, from 0 [default: IOTCTL_SHARD; JOB_COMPLETION_INDEX with IOTCTL_SHARDS; SLURM_PROCID with SLURM_NTASKS]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l start-at -d 'Begin to send at this moment, so that shards begin together: 2026-11-20T21:00:00Z, or seconds since 1970' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l run-id -d 'Number of the run, the same for all its shards [default: IOTCTL_RUN; SLURM_JOB_ID; without shards a new one each time]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l clock-error -d 'How far the clocks of the shards\' machines are apart at most; without it shards do not report end-to-end latency, 0 is for shards on one machine' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l seed -d 'Number that makes everything random repeatable' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l assert -d 'What a run must reach, such as \'p99 < 20ms\', from the quantities below; a miss is exit code 7; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s o -l output -d 'What standard output shows' -r -f -a "text\t''
json\t''
csv\t''
hlog\t''
prometheus\t''
html\t''
markdown\t''
junit\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l save-json -d 'Write the result to a file too, for bench report, compare and merge' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l html -d 'Write a page with plots to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l csv -d 'Write the time series to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l hlog -d 'Write the distributions to a file, as an HdrHistogram V2 log' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l markdown -d 'Write a summary for a code review to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l junit -d 'Write the thresholds to a file, as JUnit test cases' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l prometheus-listen -d 'Serve the figures to Prometheus at http://ADDR:PORT/metrics while the run goes on' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l protocol -d 'Which AMQP to speak: two protocols share the name; auto takes 0-9-1, and 1.0 where the server speaks only that; publish, consume and ping have 1.0' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l vhost -d 'Virtual host [default: the path of the URL, else /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l auth -d 'How to log in [default: external with a --cert and no user name, else plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l heartbeat -d 'Time between heartbeats, in whole seconds up to 65535; the server may ask for less; 0 leaves it to the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l frame-max -d 'Largest frame, in bytes such as 128KiB, at least 4096; more than 1MiB is taken for 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l connection-name -d 'The connection\'s name in the server\'s lists [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l answer-timeout -d 'Give up when the server does not answer a request for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s L -l url -d 'The same as the argument URL' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s P -l password -d 'Password; other users of this machine can see it, so better --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l password-file -d 'File that holds the password; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s A -l bind -d 'Local IP addresses to connect from, in turn, each with up to 64,000 connections' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l retry -d 'Whether to try again: never, forever, or for outages up to a TIME [default: never for the first connection; after it, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l embedded -d 'Start a broker of our own for the run, in a process of its own'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l calibrate -d 'Instead of a server, load a peer that only answers: what this machine\'s generator reaches at best'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l predeclared -d 'Use exchange, queues and bindings as they are there, and leave them there'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l persistent -d 'Have the server keep messages over a restart'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l mandatory -d 'Have messages returned that reach no queue: they count as refused'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l no-confirm -d 'Publish without confirms; that messages have arrived is then proved every second, and --window does not count'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l auto-ack -d 'Messages count as acknowledged when the server has sent them'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l requeue -d 'What is refused goes back to its queue'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l max -d 'Send as fast as --window allows [default without --rate and --stage]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l find-max -d 'Search the highest rate that keeps every --assert and loses nothing, in runs of --duration, beginning at --rate [default: 1k]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l no-resumption -d 'Do a full TLS handshake for each connection instead of going on with an earlier session where the server allows it'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l abort-on-miss -d 'End the run as soon as an interval misses a threshold'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l password-prompt -d 'Ask for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s L -l url -d 'The same as the argument URI' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l scenario -d 'Who asks for what, from the list below; the defaults of other flags follow from it' -r -f -a "request\t''
observe\t''
ping\t''
churn\t''
idle\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l sockets -d 'Sockets that ask; each is a client of its own to the server [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l observers -d 'More sockets that observe the resource; {client} is then their number [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l method -d 'Method of the requests: get, put, post, delete, fetch, patch or ipatch [default: get]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l mix -d 'Methods and their parts of all requests, such as get=80,put=20' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l size -d 'Bytes of each body, or a range such as 16-1KiB; from 24 on there is room for all that observers measure' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l content-format -d 'Content format of bodies: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l accept -d 'Content format that answers should have' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s O -l option -d 'Add an option, by name or number: its value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l ack-timeout -d 'Send again when no acknowledgement came for this long, then for twice as long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l max-retransmit -d 'Send again at most this often' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l ramp -d 'Reach --rate evenly from 0 in this time' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l stage -d 'A stretch of the load: TIME:RATE, TIME:RATE-RATE for a ramp, or RATE to the end; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l arrivals -d 'How sends are spread in time: constant, uniform, poisson, devices, bursts:TIME, or recorded:FILE with a gap, or a record with its time, on each line' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s d -l duration -d 'How long to measure [default: 10s; with --count or --stage, until they are done]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l count -d 'How many messages to send over all senders' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l warmup -d 'Send this long before measuring; it is not in the figures' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l drain -d 'Wait this long at most for what is still under way when sending has ended' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l interval -d 'Time between two points of the time series and two live lines' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l threads -d 'Worker threads, 1 to 1024' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l coalesce -d 'Gather reads: never, adaptive, or a TIME such as 500us [default: adaptive with --max, else never]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l connect-rate -d 'New connections in a second [default: as fast as they come]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l shard -d 'Do this part of the whole load: INDEX/COUNT, from 0 [default: IOTCTL_SHARD; JOB_COMPLETION_INDEX with IOTCTL_SHARDS; SLURM_PROCID with SLURM_NTASKS]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l start-at -d 'Begin to send at this moment, so that shards begin together: 2026-11-20T21:00:00Z, or seconds since 1970' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l run-id -d 'Number of the run, the same for all its shards [default: IOTCTL_RUN; SLURM_JOB_ID; without shards a new one each time]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l clock-error -d 'How far the clocks of the shards\' machines are apart at most; without it shards do not report end-to-end latency, 0 is for shards on one machine' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l seed -d 'Number that makes everything random repeatable' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l assert -d 'What a run must reach, such as \'p99 < 20ms\', from the quantities below; a miss is exit code 7; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s o -l output -d 'What standard output shows' -r -f -a "text\t''
json\t''
csv\t''
hlog\t''
prometheus\t''
html\t''
markdown\t''
junit\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l save-json -d 'Write the result to a file too, for bench report, compare and merge' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l html -d 'Write a page with plots to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l csv -d 'Write the time series to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l hlog -d 'Write the distributions to a file, as an HdrHistogram V2 log' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l markdown -d 'Write a summary for a code review to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l junit -d 'Write the thresholds to a file, as JUnit test cases' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l prometheus-listen -d 'Serve the figures to Prometheus at http://ADDR:PORT/metrics while the run goes on' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l context -d 'Context from the configuration file that fills in what is not said here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l psk-identity -d 'Name of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so better --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l psk-file -d 'File that holds the pre-shared key, spelled alike; a final line break does not count' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: those of authorities, or the server\'s own, which suffices as it is; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l capath -d 'Directory of such files; turns TLS on' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l key -d 'PEM file of the client\'s private key, not encrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l tls-server-name -d 'Name to send and to verify instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l tls-alpn -d 'Protocol to offer by ALPN; may be repeated, best first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l tls-version -d 'Exactly this version of TLS: 1.2 or 1.3 [default: the best that both sides know]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s A -l bind -d 'Local IP addresses to send from, in turn, each with up to 64,000 sockets' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s M -l outstanding -l max-inflight -d 'Requests that await their response on one socket at most, 1 to 60000' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l rate -d 'Requests in a second over all sockets, sent when they are due whatever the server does: 1000, 10k, 0.5, 30/m' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l think -d 'Pause between a response and the next request, with --max' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s W -l timeout -d 'Give a request up that is not answered in this time: it has timed out, and leaves its place' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l embedded -d 'Start a server of our own for the run, in a process of its own, with /bench, /counter, /clock, /sensor and /store; the URI is then only a path [default: /bench]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l calibrate -d 'Instead of a server, load a peer that only answers: what this machine\'s generator reaches at best'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s N -l non -d 'Non-confirmable: sent once, and not again when it is lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l find-max -d 'Search the highest rate that keeps every --assert and loses nothing, in runs of --duration, beginning at --rate [default: 1k]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l no-resumption -d 'Do a full TLS handshake for each connection instead of going on with an earlier session where the server allows it'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l abort-on-miss -d 'End the run as soon as an interval misses a threshold'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l insecure -d 'Do not verify the server\'s certificate: anyone in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l max -d 'Send as fast as --outstanding allows [default without --rate and --stage]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from run" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from report" -s o -l output -d 'What it becomes' -r -f -a "text\t''
json\t''
csv\t''
hlog\t''
prometheus\t''
html\t''
markdown\t''
junit\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from report" -l assert -d 'What it must reach, such as \'p99 < 20ms\'; a miss is exit code 7; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from report" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from report" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from report" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from compare" -l bound -d 'How much worse a figure may be, such as 5%; more, where repeated runs show that it is not chance, is exit code 7' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from compare" -s o -l output -d 'What the comparison is written as' -r -f -a "text\t''
json\t''
markdown\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from compare" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from compare" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from compare" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from merge" -s o -l output -d 'What the whole is written as; json keeps everything' -r -f -a "text\t''
json\t''
csv\t''
hlog\t''
prometheus\t''
html\t''
markdown\t''
junit\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from merge" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from merge" -l partial -d 'Merge what there is: shards may be missing, or have run one after the other'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from merge" -l quiet -d 'Say nothing but results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from merge" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand completions" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand man" -l help -d 'Print this page'
