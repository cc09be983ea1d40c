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
complete -c iotctl -n "__fish_iotctl_needs_command" -f -a "amqp" -d 'AMQP 0-9-1: publish, consume, request and respond, topology, and an embedded broker'
complete -c iotctl -n "__fish_iotctl_needs_command" -f -a "bench" -d 'Load tests, and reports of their results'
complete -c iotctl -n "__fish_iotctl_needs_command" -f -a "completions" -d 'Print completions for a shell'
complete -c iotctl -n "__fish_iotctl_needs_command" -f -a "man" -d 'Print a man page, for man -l -'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and not __fish_seen_subcommand_from pub sub broker" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and not __fish_seen_subcommand_from pub sub broker" -f -a "pub" -d 'Publish messages and wait for their acknowledgements'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and not __fish_seen_subcommand_from pub sub broker" -f -a "sub" -d 'Subscribe and show the messages received'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and not __fish_seen_subcommand_from pub sub broker" -f -a "broker" -d 'Run the embedded broker, for development and tests'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s t -l topic -d 'Topic to publish to; may be repeated: each message is published to every topic [default: the path of the URL]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s m -l message -d 'Publish this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s f -l file -d 'Publish the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l template -d 'Publish this text with its placeholders filled in for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l cbor -d 'Publish CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s q -l qos -d 'Quality of service: 0 at most once, 1 at least once, 2 exactly once' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l repeat -d 'Send each message this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l repeat-delay -d 'Interval between repetitions of a message' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l rate -d 'Maximum rate in messages per second, such as 1000, 10k, 0.5 or 30/m [default: as fast as the server accepts them]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l burst -d 'Burst size of --rate, in messages [default: 10 ms worth of messages, at least 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l speed -d 'Speed of --replay: 2 is twice as fast as recorded [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l ack-timeout -d 'Give up when no acknowledgement arrives for this long, or never' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 [default: 5, or 311 if the server does not support 5]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s i -l id -d 'Client identifier [default: generated]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s I -l id-prefix -d 'Prefix of a generated client identifier' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s k -l keepalive -d 'Keep Alive interval, in whole seconds up to 65535; 0 disables it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s x -l session-expiry -d 'Session expiry interval: how long the server keeps the session after the connection ends, or never (MQTT 5)' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s M -l max-inflight -d 'QoS 1 and 2 messages in flight, 1 to 65535 [default: the server\'s limit]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l max-packet-size -d 'Largest packet to accept, in bytes such as 64KiB [default: what the protocol allows, 256MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s D -l property -d 'MQTT 5 property of a packet: -D publish content-type text/plain, -D connect user-property NAME VALUE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l will-topic -d 'Topic of the will message, which the server publishes if the connection is lost' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l will-payload -d 'Payload of the will message [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l will-payload-file -d 'File with the payload of the will message' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l will-qos -d 'Quality of service of the will message: 0, 1 or 2 [default: 0]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s p -l port -d 'Port, 1 to 65535 [default: 1883, with TLS 8883, with --ws 80 or 443]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, pub 30s, sub forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l ws-header -l header -d 'Header for the WebSocket handshake; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s s -l stdin -d 'Publish all of standard input as one message'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s l -l lines -d 'Publish each line of standard input as a message'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s 0 -l null-delimited -d 'Publish each NUL-terminated record of standard input as a message'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s n -l null-message -d 'Publish an empty message'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l ndjson -d 'Publish the records on standard input, one JSON object per line, as written by --output json'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l hex -d 'The messages are given in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l base64 -d 'The messages are given in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s r -l retain -d 'Retain the message: the server stores it for future subscribers'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l replay -d 'Send the records of --ndjson at the pace of their timestamps, instead of as fast as possible'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -s c -l persistent -d 'Persistent session: resume the session of this --id, and keep it on the server afterwards'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l will-retain -d 'Retain the will message'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l ws -d 'Speak over WebSocket, as the URL schemes ws and wss do'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from pub" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s t -l topic -d 'Topic filter to subscribe to, optionally with subscription options: \'a/#;qos=1;nl;rap;rh=new\'; may be repeated [default: the path of the URL]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s q -l qos -d 'Maximum quality of service: 0, 1 or 2' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l retain-handling -d 'When retained messages are sent: always, new (only for new subscriptions) or never (MQTT 5; for one filter: ;rh=new)' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s U -l unsubscribe -d 'Filter to unsubscribe from in a persistent session; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s T -l filter-out -d 'Skip messages whose topic matches this filter; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s C -l count -d 'End after this many messages' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s W -l timeout -d 'Fail after this long, with exit code 5' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l for -d 'End after this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l idle -d 'End when nothing arrives for this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l filter -d 'Only messages that meet this condition: payload, a JSON pointer such as /temp or a field below, then ==, !=, <, <=, >, >= or contains, then a value, as \'payload == 21.5\', \'/temp > 20\' and \'topic contains kitchen\'; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l until -d 'End at a message that meets this condition; any other end fails with exit code 7' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l expect -d 'Fail with exit code 7 at a message that does not meet this condition; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l exec -d 'Run this command for each message, with the body on standard input and the fields listed below in its environment; all arguments after --exec, flags too, belong to the command, so put it last. Exit code 0 acknowledges the message, any other rejects it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l workers -d 'Number of commands that run at the same time [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l output -d 'Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s F -l format -d 'Format messages with a mosquitto format string, such as \'%I %t %p\'; iotctl-mqtt-sub(1) lists the sequences' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l decode -d 'Decode the payload (text and -F): JSON indented, CBOR in diagnostic notation, SenML and link-format with one line per entry; the format is taken from the message unless given here, as a media type or a short name such as cbor; hex and base64 are decoded for every output, and before conditions are checked' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 [default: 5, or 311 if the server does not support 5]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s i -l id -d 'Client identifier [default: generated]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s I -l id-prefix -d 'Prefix of a generated client identifier' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s k -l keepalive -d 'Keep Alive interval, in whole seconds up to 65535; 0 disables it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s x -l session-expiry -d 'Session expiry interval: how long the server keeps the session after the connection ends, or never (MQTT 5)' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s M -l max-inflight -d 'QoS 1 and 2 messages in flight, 1 to 65535 [default: the server\'s limit]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l max-packet-size -d 'Largest packet to accept, in bytes such as 64KiB [default: what the protocol allows, 256MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s D -l property -d 'MQTT 5 property of a packet: -D publish content-type text/plain, -D connect user-property NAME VALUE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l will-topic -d 'Topic of the will message, which the server publishes if the connection is lost' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l will-payload -d 'Payload of the will message [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l will-payload-file -d 'File with the payload of the will message' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l will-qos -d 'Quality of service of the will message: 0, 1 or 2 [default: 0]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s p -l port -d 'Port, 1 to 65535 [default: 1883, with TLS 8883, with --ws 80 or 443]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, pub 30s, sub forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l ws-header -l header -d 'Header for the WebSocket handshake; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l no-local -d 'Do not receive messages that this client published (MQTT 5; for one filter: ;nl)'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l retain-as-published -d 'Retain As Published: keep the RETAIN flag of the publisher (MQTT 5; for one filter: ;rap)'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s R -l no-retained -d 'Skip retained messages'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l retained-only -d 'Show retained messages only, and end at the first that is not'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s E -l exit-after-subscribe -d 'End as soon as the subscriptions are acknowledged'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l exec-json -d 'Pass the whole message on standard input as one line of JSON, as --output json shows it, instead of the body'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l pretty -d 'Indent JSON over several lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l embed-json -d 'Embed JSON payloads as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s v -l verbose -d 'Show the topic before each payload (text, hex and base64)'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s N -l no-newline -d 'No line break after each message (text and -F)'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l decompress -d 'Decompress gzip and deflate as the message says: in AMQP by its content encoding, in MQTT by the user property content-encoding or the first bytes of gzip, in CoAP by a content format such as application/json@deflate; a payload that cannot be decompressed is passed on unchanged'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -s c -l persistent -d 'Persistent session: resume the session of this --id, and keep it on the server afterwards'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l will-retain -d 'Retain the will message'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l ws -d 'Speak over WebSocket, as the URL schemes ws and wss do'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from sub" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l listen -d 'Address to listen on: [mqtt|mqtts|ws|wss://]ADDR:PORT or unix:PATH; port 0 picks a free port, printed on the first line of standard output; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l cert -d 'PEM file of the server\'s certificate chain, for the encrypted schemes' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l key -d 'PEM file of the server\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l client-ca -d 'PEM file of client CA certificates; clients must present a certificate signed by one of them, or one of them' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l password-file -d 'File of USER:PASSWORD lines, in plain text or in mosquitto_passwd format; all other users are refused. Reloaded on SIGHUP' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l acl-file -d 'Access control file in mosquitto\'s format: user NAME, topic [read|write|readwrite|deny] FILTER, pattern. Reloaded on SIGHUP' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-connections -d 'Maximum number of connected clients [default: no limit]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l connect-timeout -d 'Time allowed for a connection to send CONNECT [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-packet-size -d 'Largest packet accepted, in bytes such as 64KiB [default: what the protocol allows, 256MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l receive-maximum -d 'Receive Maximum: QoS 1 and 2 messages in flight from one MQTT 5 client [default: 1000]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-inflight -d 'QoS 1 and 2 messages in flight to one client [default: 1000]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l topic-alias-maximum -d 'Topic aliases accepted from one client [default: 16]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l server-keep-alive -d 'Server Keep Alive that overrides the keep-alive of each MQTT 5 client, in whole seconds; 0 turns it off [default: the client\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-qos -d 'Highest quality of service: 0, 1 or 2 [default: 2]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-queued -d 'QoS 1 and 2 messages queued for one client at most; further messages are refused, or before MQTT 5 left unacknowledged until there is room [default: 100k]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-queued-bytes -d 'Bytes queued for one client at most, such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l max-buffered-bytes -d 'Output buffer of one client, in bytes; above it QoS 0 messages are dropped [default: 16MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l session-expiry-limit -d 'Longest session expiry interval granted, in whole seconds [default: no limit]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l response-information -d 'Response Information sent to a client that requests it, followed by the client identifier (MQTT 5)' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l sys-interval -d 'Interval between updates of the $SYS topics, or never [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l fault -d 'Fault to inject: NAME[:KEY=VALUE[,KEY=VALUE]...], listed below; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l allow-anonymous -d 'Accept clients without a user name despite --password-file'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l refuse-empty-id -d 'Refuse clients without a client identifier instead of assigning one'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l no-retain -d 'Refuse retained messages'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l queue-qos0 -d 'Queue QoS 0 messages for offline clients, too'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l end-with-parent -d 'Exit when the parent process exits'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand mqtt; and __fish_seen_subcommand_from broker" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "get" -d 'Read a resource'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "put" -d 'Create or replace a resource'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "post" -d 'Send a body to a resource for processing'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "delete" -d 'Delete a resource'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "fetch" -d 'Read part of a resource, selected by the body (RFC 8132)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "patch" -d 'Change part of a resource (RFC 8132)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "ipatch" -d 'Change part of a resource idempotently (RFC 8132)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "observe" -d 'Observe a resource and show its changes'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "discover" -d 'List the resources of a server or a multicast group'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "rd" -d 'Register at a resource directory and look up registrations (RFC 9176)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "ping" -d 'Measure round-trip times'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and not __fish_seen_subcommand_from get put post delete fetch patch ipatch observe discover rd ping server" -f -a "server" -d 'Run the embedded server, for development and tests'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l if-match -d 'If-Match: only if the resource has this ETag: text, or 0x and hexadecimal digits; without a value, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l etag-file -d 'File with the ETag of a previous response; the response is shown only if it differs, and its ETag is stored there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s O -l option -d 'Add an option, by name or number; the value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l accept -d 'Content format to accept: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l proxy -d 'Send requests through this proxy, coap://HOST[:PORT] or another scheme; the URI is that of the origin server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l proxy-mode -d 'How the URI is sent to the proxy: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri if the proxy does not support it' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l oscore-secret -d 'OSCORE master secret; enables OSCORE (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l oscore-secret-file -d 'File with the OSCORE master secret, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l oscore-salt -d 'OSCORE master salt, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l oscore-sender-id -d 'OSCORE sender ID of this side, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l oscore-recipient-id -d 'OSCORE recipient ID, which is the peer\'s sender ID, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l oscore-id-context -d 'OSCORE ID context, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l oscore-state -d 'File that stores the sender sequence number, which must never be reused [default: one per context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l pcap -d 'Capture every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683; DTLS and TLS traffic is captured decrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s W -l timeout -d 'Give up when no response arrives for this long; 0 waits as long as RFC 7252 specifies' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l ack-timeout -d 'ACK_TIMEOUT: time to the first retransmission; it doubles each time [default: 2s, adapted to measured round trips]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l max-retransmit -d 'MAX_RETRANSMIT: maximum number of retransmissions [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l block -d 'Block size for block-wise transfers, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l body-limit -d 'Largest response body accepted, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l collect -d 'How long to collect responses from a multicast group' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l output -d 'Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s F -l format -d 'Format messages with a mosquitto format string, such as \'%I %t %p\'; iotctl-mqtt-sub(1) lists the sequences' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l decode -d 'Decode the payload (text and -F): JSON indented, CBOR in diagnostic notation, SenML and link-format with one line per entry; the format is taken from the message unless given here, as a media type or a short name such as cbor; hex and base64 are decoded for every output, and before conditions are checked' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l expect -d 'Fail with exit code 7 unless the response meets this condition: \'payload == 21.5\', \'/temp > 20\'; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s o -l output-file -d 'Write the body of the response to this file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l repeat -d 'Send each message this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l repeat-delay -d 'Interval between repetitions of a message' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l rate -d 'Maximum rate in messages per second, such as 1000, 10k, 0.5 or 30/m [default: as fast as the server accepts them]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l burst -d 'Burst size of --rate, in messages [default: 10 ms worth of messages, at least 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l speed -d 'Speed of --replay: 2 is twice as fast as recorded [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l psk-identity -d 'Identity of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l psk-file -d 'File with the pre-shared key, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l if-none-match -d 'If-None-Match: only if the resource does not exist'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l no-uri-host -d 'Do not send the Uri-Host option'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -s N -l non -d 'Send non-confirmable requests, which are not retransmitted'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l pretty -d 'Indent JSON over several lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l embed-json -d 'Embed JSON payloads as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l decompress -d 'Decompress gzip and deflate as the message says: in AMQP by its content encoding, in MQTT by the user property content-encoding or the first bytes of gzip, in CoAP by a content format such as application/json@deflate; a payload that cannot be decompressed is passed on unchanged'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l resume -d 'Store partial downloads in FILE.part, and resume an interrupted one if the ETag is unchanged (get)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l replay -d 'Send the records of --ndjson at the pace of their timestamps, instead of as fast as possible'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from get" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l cbor -d 'Send CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l template -d 'Send this text with its placeholders filled in for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json [default: cbor with --cbor]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l if-match -d 'If-Match: only if the resource has this ETag: text, or 0x and hexadecimal digits; without a value, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l etag-file -d 'File with the ETag of a previous response; the response is shown only if it differs, and its ETag is stored there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s O -l option -d 'Add an option, by name or number; the value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l accept -d 'Content format to accept: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l proxy -d 'Send requests through this proxy, coap://HOST[:PORT] or another scheme; the URI is that of the origin server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l proxy-mode -d 'How the URI is sent to the proxy: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri if the proxy does not support it' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l oscore-secret -d 'OSCORE master secret; enables OSCORE (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l oscore-secret-file -d 'File with the OSCORE master secret, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l oscore-salt -d 'OSCORE master salt, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l oscore-sender-id -d 'OSCORE sender ID of this side, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l oscore-recipient-id -d 'OSCORE recipient ID, which is the peer\'s sender ID, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l oscore-id-context -d 'OSCORE ID context, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l oscore-state -d 'File that stores the sender sequence number, which must never be reused [default: one per context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l pcap -d 'Capture every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683; DTLS and TLS traffic is captured decrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s W -l timeout -d 'Give up when no response arrives for this long; 0 waits as long as RFC 7252 specifies' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l ack-timeout -d 'ACK_TIMEOUT: time to the first retransmission; it doubles each time [default: 2s, adapted to measured round trips]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l max-retransmit -d 'MAX_RETRANSMIT: maximum number of retransmissions [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l block -d 'Block size for block-wise transfers, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l body-limit -d 'Largest response body accepted, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l collect -d 'How long to collect responses from a multicast group' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l output -d 'Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s F -l format -d 'Format messages with a mosquitto format string, such as \'%I %t %p\'; iotctl-mqtt-sub(1) lists the sequences' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l decode -d 'Decode the payload (text and -F): JSON indented, CBOR in diagnostic notation, SenML and link-format with one line per entry; the format is taken from the message unless given here, as a media type or a short name such as cbor; hex and base64 are decoded for every output, and before conditions are checked' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l expect -d 'Fail with exit code 7 unless the response meets this condition: \'payload == 21.5\', \'/temp > 20\'; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s o -l output-file -d 'Write the body of the response to this file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l repeat -d 'Send each message this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l repeat-delay -d 'Interval between repetitions of a message' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l rate -d 'Maximum rate in messages per second, such as 1000, 10k, 0.5 or 30/m [default: as fast as the server accepts them]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l burst -d 'Burst size of --rate, in messages [default: 10 ms worth of messages, at least 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l speed -d 'Speed of --replay: 2 is twice as fast as recorded [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l psk-identity -d 'Identity of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l psk-file -d 'File with the pre-shared key, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s s -l stdin -d 'Send all of standard input'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s l -l lines -d 'Send each line of standard input in a request of its own'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l ndjson -d 'Send the records on standard input, one JSON object per line, as written by --output json; the topic of a record is its path'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s n -l null-message -d 'Send no body'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l hex -d 'The body is given in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l base64 -d 'The body is given in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l if-none-match -d 'If-None-Match: only if the resource does not exist'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l no-uri-host -d 'Do not send the Uri-Host option'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -s N -l non -d 'Send non-confirmable requests, which are not retransmitted'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l pretty -d 'Indent JSON over several lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l embed-json -d 'Embed JSON payloads as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l decompress -d 'Decompress gzip and deflate as the message says: in AMQP by its content encoding, in MQTT by the user property content-encoding or the first bytes of gzip, in CoAP by a content format such as application/json@deflate; a payload that cannot be decompressed is passed on unchanged'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l resume -d 'Store partial downloads in FILE.part, and resume an interrupted one if the ETag is unchanged (get)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l replay -d 'Send the records of --ndjson at the pace of their timestamps, instead of as fast as possible'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from put" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l cbor -d 'Send CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l template -d 'Send this text with its placeholders filled in for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json [default: cbor with --cbor]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l if-match -d 'If-Match: only if the resource has this ETag: text, or 0x and hexadecimal digits; without a value, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l etag-file -d 'File with the ETag of a previous response; the response is shown only if it differs, and its ETag is stored there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s O -l option -d 'Add an option, by name or number; the value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l accept -d 'Content format to accept: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l proxy -d 'Send requests through this proxy, coap://HOST[:PORT] or another scheme; the URI is that of the origin server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l proxy-mode -d 'How the URI is sent to the proxy: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri if the proxy does not support it' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l oscore-secret -d 'OSCORE master secret; enables OSCORE (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l oscore-secret-file -d 'File with the OSCORE master secret, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l oscore-salt -d 'OSCORE master salt, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l oscore-sender-id -d 'OSCORE sender ID of this side, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l oscore-recipient-id -d 'OSCORE recipient ID, which is the peer\'s sender ID, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l oscore-id-context -d 'OSCORE ID context, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l oscore-state -d 'File that stores the sender sequence number, which must never be reused [default: one per context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l pcap -d 'Capture every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683; DTLS and TLS traffic is captured decrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s W -l timeout -d 'Give up when no response arrives for this long; 0 waits as long as RFC 7252 specifies' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l ack-timeout -d 'ACK_TIMEOUT: time to the first retransmission; it doubles each time [default: 2s, adapted to measured round trips]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l max-retransmit -d 'MAX_RETRANSMIT: maximum number of retransmissions [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l block -d 'Block size for block-wise transfers, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l body-limit -d 'Largest response body accepted, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l collect -d 'How long to collect responses from a multicast group' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l output -d 'Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s F -l format -d 'Format messages with a mosquitto format string, such as \'%I %t %p\'; iotctl-mqtt-sub(1) lists the sequences' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l decode -d 'Decode the payload (text and -F): JSON indented, CBOR in diagnostic notation, SenML and link-format with one line per entry; the format is taken from the message unless given here, as a media type or a short name such as cbor; hex and base64 are decoded for every output, and before conditions are checked' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l expect -d 'Fail with exit code 7 unless the response meets this condition: \'payload == 21.5\', \'/temp > 20\'; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s o -l output-file -d 'Write the body of the response to this file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l repeat -d 'Send each message this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l repeat-delay -d 'Interval between repetitions of a message' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l rate -d 'Maximum rate in messages per second, such as 1000, 10k, 0.5 or 30/m [default: as fast as the server accepts them]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l burst -d 'Burst size of --rate, in messages [default: 10 ms worth of messages, at least 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l speed -d 'Speed of --replay: 2 is twice as fast as recorded [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l psk-identity -d 'Identity of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l psk-file -d 'File with the pre-shared key, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s s -l stdin -d 'Send all of standard input'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s l -l lines -d 'Send each line of standard input in a request of its own'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l ndjson -d 'Send the records on standard input, one JSON object per line, as written by --output json; the topic of a record is its path'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s n -l null-message -d 'Send no body'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l hex -d 'The body is given in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l base64 -d 'The body is given in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l if-none-match -d 'If-None-Match: only if the resource does not exist'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l no-uri-host -d 'Do not send the Uri-Host option'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -s N -l non -d 'Send non-confirmable requests, which are not retransmitted'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l pretty -d 'Indent JSON over several lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l embed-json -d 'Embed JSON payloads as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l decompress -d 'Decompress gzip and deflate as the message says: in AMQP by its content encoding, in MQTT by the user property content-encoding or the first bytes of gzip, in CoAP by a content format such as application/json@deflate; a payload that cannot be decompressed is passed on unchanged'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l resume -d 'Store partial downloads in FILE.part, and resume an interrupted one if the ETag is unchanged (get)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l replay -d 'Send the records of --ndjson at the pace of their timestamps, instead of as fast as possible'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from post" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l if-match -d 'If-Match: only if the resource has this ETag: text, or 0x and hexadecimal digits; without a value, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l etag-file -d 'File with the ETag of a previous response; the response is shown only if it differs, and its ETag is stored there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s O -l option -d 'Add an option, by name or number; the value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l accept -d 'Content format to accept: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l proxy -d 'Send requests through this proxy, coap://HOST[:PORT] or another scheme; the URI is that of the origin server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l proxy-mode -d 'How the URI is sent to the proxy: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri if the proxy does not support it' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l oscore-secret -d 'OSCORE master secret; enables OSCORE (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l oscore-secret-file -d 'File with the OSCORE master secret, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l oscore-salt -d 'OSCORE master salt, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l oscore-sender-id -d 'OSCORE sender ID of this side, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l oscore-recipient-id -d 'OSCORE recipient ID, which is the peer\'s sender ID, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l oscore-id-context -d 'OSCORE ID context, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l oscore-state -d 'File that stores the sender sequence number, which must never be reused [default: one per context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l pcap -d 'Capture every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683; DTLS and TLS traffic is captured decrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s W -l timeout -d 'Give up when no response arrives for this long; 0 waits as long as RFC 7252 specifies' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l ack-timeout -d 'ACK_TIMEOUT: time to the first retransmission; it doubles each time [default: 2s, adapted to measured round trips]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l max-retransmit -d 'MAX_RETRANSMIT: maximum number of retransmissions [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l block -d 'Block size for block-wise transfers, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l body-limit -d 'Largest response body accepted, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l collect -d 'How long to collect responses from a multicast group' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l output -d 'Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s F -l format -d 'Format messages with a mosquitto format string, such as \'%I %t %p\'; iotctl-mqtt-sub(1) lists the sequences' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l decode -d 'Decode the payload (text and -F): JSON indented, CBOR in diagnostic notation, SenML and link-format with one line per entry; the format is taken from the message unless given here, as a media type or a short name such as cbor; hex and base64 are decoded for every output, and before conditions are checked' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l expect -d 'Fail with exit code 7 unless the response meets this condition: \'payload == 21.5\', \'/temp > 20\'; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s o -l output-file -d 'Write the body of the response to this file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l repeat -d 'Send each message this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l repeat-delay -d 'Interval between repetitions of a message' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l rate -d 'Maximum rate in messages per second, such as 1000, 10k, 0.5 or 30/m [default: as fast as the server accepts them]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l burst -d 'Burst size of --rate, in messages [default: 10 ms worth of messages, at least 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l speed -d 'Speed of --replay: 2 is twice as fast as recorded [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l psk-identity -d 'Identity of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l psk-file -d 'File with the pre-shared key, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l if-none-match -d 'If-None-Match: only if the resource does not exist'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l no-uri-host -d 'Do not send the Uri-Host option'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -s N -l non -d 'Send non-confirmable requests, which are not retransmitted'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l pretty -d 'Indent JSON over several lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l embed-json -d 'Embed JSON payloads as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l decompress -d 'Decompress gzip and deflate as the message says: in AMQP by its content encoding, in MQTT by the user property content-encoding or the first bytes of gzip, in CoAP by a content format such as application/json@deflate; a payload that cannot be decompressed is passed on unchanged'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l resume -d 'Store partial downloads in FILE.part, and resume an interrupted one if the ETag is unchanged (get)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l replay -d 'Send the records of --ndjson at the pace of their timestamps, instead of as fast as possible'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from delete" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l cbor -d 'Send CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l template -d 'Send this text with its placeholders filled in for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json [default: cbor with --cbor]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l if-match -d 'If-Match: only if the resource has this ETag: text, or 0x and hexadecimal digits; without a value, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l etag-file -d 'File with the ETag of a previous response; the response is shown only if it differs, and its ETag is stored there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s O -l option -d 'Add an option, by name or number; the value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l accept -d 'Content format to accept: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l proxy -d 'Send requests through this proxy, coap://HOST[:PORT] or another scheme; the URI is that of the origin server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l proxy-mode -d 'How the URI is sent to the proxy: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri if the proxy does not support it' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l oscore-secret -d 'OSCORE master secret; enables OSCORE (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l oscore-secret-file -d 'File with the OSCORE master secret, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l oscore-salt -d 'OSCORE master salt, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l oscore-sender-id -d 'OSCORE sender ID of this side, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l oscore-recipient-id -d 'OSCORE recipient ID, which is the peer\'s sender ID, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l oscore-id-context -d 'OSCORE ID context, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l oscore-state -d 'File that stores the sender sequence number, which must never be reused [default: one per context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l pcap -d 'Capture every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683; DTLS and TLS traffic is captured decrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s W -l timeout -d 'Give up when no response arrives for this long; 0 waits as long as RFC 7252 specifies' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l ack-timeout -d 'ACK_TIMEOUT: time to the first retransmission; it doubles each time [default: 2s, adapted to measured round trips]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l max-retransmit -d 'MAX_RETRANSMIT: maximum number of retransmissions [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l block -d 'Block size for block-wise transfers, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l body-limit -d 'Largest response body accepted, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l collect -d 'How long to collect responses from a multicast group' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l output -d 'Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s F -l format -d 'Format messages with a mosquitto format string, such as \'%I %t %p\'; iotctl-mqtt-sub(1) lists the sequences' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l decode -d 'Decode the payload (text and -F): JSON indented, CBOR in diagnostic notation, SenML and link-format with one line per entry; the format is taken from the message unless given here, as a media type or a short name such as cbor; hex and base64 are decoded for every output, and before conditions are checked' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l expect -d 'Fail with exit code 7 unless the response meets this condition: \'payload == 21.5\', \'/temp > 20\'; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s o -l output-file -d 'Write the body of the response to this file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l repeat -d 'Send each message this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l repeat-delay -d 'Interval between repetitions of a message' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l rate -d 'Maximum rate in messages per second, such as 1000, 10k, 0.5 or 30/m [default: as fast as the server accepts them]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l burst -d 'Burst size of --rate, in messages [default: 10 ms worth of messages, at least 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l speed -d 'Speed of --replay: 2 is twice as fast as recorded [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l psk-identity -d 'Identity of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l psk-file -d 'File with the pre-shared key, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s s -l stdin -d 'Send all of standard input'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s l -l lines -d 'Send each line of standard input in a request of its own'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l ndjson -d 'Send the records on standard input, one JSON object per line, as written by --output json; the topic of a record is its path'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s n -l null-message -d 'Send no body'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l hex -d 'The body is given in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l base64 -d 'The body is given in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l if-none-match -d 'If-None-Match: only if the resource does not exist'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l no-uri-host -d 'Do not send the Uri-Host option'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -s N -l non -d 'Send non-confirmable requests, which are not retransmitted'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l pretty -d 'Indent JSON over several lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l embed-json -d 'Embed JSON payloads as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l decompress -d 'Decompress gzip and deflate as the message says: in AMQP by its content encoding, in MQTT by the user property content-encoding or the first bytes of gzip, in CoAP by a content format such as application/json@deflate; a payload that cannot be decompressed is passed on unchanged'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l resume -d 'Store partial downloads in FILE.part, and resume an interrupted one if the ETag is unchanged (get)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l replay -d 'Send the records of --ndjson at the pace of their timestamps, instead of as fast as possible'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from fetch" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l cbor -d 'Send CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l template -d 'Send this text with its placeholders filled in for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json [default: cbor with --cbor]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l if-match -d 'If-Match: only if the resource has this ETag: text, or 0x and hexadecimal digits; without a value, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l etag-file -d 'File with the ETag of a previous response; the response is shown only if it differs, and its ETag is stored there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s O -l option -d 'Add an option, by name or number; the value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l accept -d 'Content format to accept: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l proxy -d 'Send requests through this proxy, coap://HOST[:PORT] or another scheme; the URI is that of the origin server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l proxy-mode -d 'How the URI is sent to the proxy: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri if the proxy does not support it' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l oscore-secret -d 'OSCORE master secret; enables OSCORE (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l oscore-secret-file -d 'File with the OSCORE master secret, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l oscore-salt -d 'OSCORE master salt, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l oscore-sender-id -d 'OSCORE sender ID of this side, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l oscore-recipient-id -d 'OSCORE recipient ID, which is the peer\'s sender ID, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l oscore-id-context -d 'OSCORE ID context, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l oscore-state -d 'File that stores the sender sequence number, which must never be reused [default: one per context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l pcap -d 'Capture every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683; DTLS and TLS traffic is captured decrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s W -l timeout -d 'Give up when no response arrives for this long; 0 waits as long as RFC 7252 specifies' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l ack-timeout -d 'ACK_TIMEOUT: time to the first retransmission; it doubles each time [default: 2s, adapted to measured round trips]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l max-retransmit -d 'MAX_RETRANSMIT: maximum number of retransmissions [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l block -d 'Block size for block-wise transfers, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l body-limit -d 'Largest response body accepted, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l collect -d 'How long to collect responses from a multicast group' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l output -d 'Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s F -l format -d 'Format messages with a mosquitto format string, such as \'%I %t %p\'; iotctl-mqtt-sub(1) lists the sequences' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l decode -d 'Decode the payload (text and -F): JSON indented, CBOR in diagnostic notation, SenML and link-format with one line per entry; the format is taken from the message unless given here, as a media type or a short name such as cbor; hex and base64 are decoded for every output, and before conditions are checked' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l expect -d 'Fail with exit code 7 unless the response meets this condition: \'payload == 21.5\', \'/temp > 20\'; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s o -l output-file -d 'Write the body of the response to this file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l repeat -d 'Send each message this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l repeat-delay -d 'Interval between repetitions of a message' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l rate -d 'Maximum rate in messages per second, such as 1000, 10k, 0.5 or 30/m [default: as fast as the server accepts them]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l burst -d 'Burst size of --rate, in messages [default: 10 ms worth of messages, at least 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l speed -d 'Speed of --replay: 2 is twice as fast as recorded [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l psk-identity -d 'Identity of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l psk-file -d 'File with the pre-shared key, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s s -l stdin -d 'Send all of standard input'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s l -l lines -d 'Send each line of standard input in a request of its own'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l ndjson -d 'Send the records on standard input, one JSON object per line, as written by --output json; the topic of a record is its path'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s n -l null-message -d 'Send no body'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l hex -d 'The body is given in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l base64 -d 'The body is given in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l if-none-match -d 'If-None-Match: only if the resource does not exist'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l no-uri-host -d 'Do not send the Uri-Host option'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -s N -l non -d 'Send non-confirmable requests, which are not retransmitted'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l pretty -d 'Indent JSON over several lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l embed-json -d 'Embed JSON payloads as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l decompress -d 'Decompress gzip and deflate as the message says: in AMQP by its content encoding, in MQTT by the user property content-encoding or the first bytes of gzip, in CoAP by a content format such as application/json@deflate; a payload that cannot be decompressed is passed on unchanged'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l resume -d 'Store partial downloads in FILE.part, and resume an interrupted one if the ETag is unchanged (get)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l replay -d 'Send the records of --ndjson at the pace of their timestamps, instead of as fast as possible'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from patch" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l cbor -d 'Send CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l template -d 'Send this text with its placeholders filled in for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json [default: cbor with --cbor]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l if-match -d 'If-Match: only if the resource has this ETag: text, or 0x and hexadecimal digits; without a value, only if the resource exists; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l etag-file -d 'File with the ETag of a previous response; the response is shown only if it differs, and its ETag is stored there' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s O -l option -d 'Add an option, by name or number; the value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l accept -d 'Content format to accept: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l proxy -d 'Send requests through this proxy, coap://HOST[:PORT] or another scheme; the URI is that of the origin server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l proxy-mode -d 'How the URI is sent to the proxy: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri if the proxy does not support it' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l oscore-secret -d 'OSCORE master secret; enables OSCORE (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l oscore-secret-file -d 'File with the OSCORE master secret, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l oscore-salt -d 'OSCORE master salt, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l oscore-sender-id -d 'OSCORE sender ID of this side, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l oscore-recipient-id -d 'OSCORE recipient ID, which is the peer\'s sender ID, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l oscore-id-context -d 'OSCORE ID context, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l oscore-state -d 'File that stores the sender sequence number, which must never be reused [default: one per context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l pcap -d 'Capture every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683; DTLS and TLS traffic is captured decrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s W -l timeout -d 'Give up when no response arrives for this long; 0 waits as long as RFC 7252 specifies' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l ack-timeout -d 'ACK_TIMEOUT: time to the first retransmission; it doubles each time [default: 2s, adapted to measured round trips]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l max-retransmit -d 'MAX_RETRANSMIT: maximum number of retransmissions [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l block -d 'Block size for block-wise transfers, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l body-limit -d 'Largest response body accepted, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l collect -d 'How long to collect responses from a multicast group' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l output -d 'Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s F -l format -d 'Format messages with a mosquitto format string, such as \'%I %t %p\'; iotctl-mqtt-sub(1) lists the sequences' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l decode -d 'Decode the payload (text and -F): JSON indented, CBOR in diagnostic notation, SenML and link-format with one line per entry; the format is taken from the message unless given here, as a media type or a short name such as cbor; hex and base64 are decoded for every output, and before conditions are checked' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l expect -d 'Fail with exit code 7 unless the response meets this condition: \'payload == 21.5\', \'/temp > 20\'; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s o -l output-file -d 'Write the body of the response to this file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l repeat -d 'Send each message this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l repeat-delay -d 'Interval between repetitions of a message' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l rate -d 'Maximum rate in messages per second, such as 1000, 10k, 0.5 or 30/m [default: as fast as the server accepts them]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l burst -d 'Burst size of --rate, in messages [default: 10 ms worth of messages, at least 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l speed -d 'Speed of --replay: 2 is twice as fast as recorded [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l psk-identity -d 'Identity of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l psk-file -d 'File with the pre-shared key, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s s -l stdin -d 'Send all of standard input'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s l -l lines -d 'Send each line of standard input in a request of its own'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l ndjson -d 'Send the records on standard input, one JSON object per line, as written by --output json; the topic of a record is its path'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s n -l null-message -d 'Send no body'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l hex -d 'The body is given in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l base64 -d 'The body is given in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l if-none-match -d 'If-None-Match: only if the resource does not exist'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l no-uri-host -d 'Do not send the Uri-Host option'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -s N -l non -d 'Send non-confirmable requests, which are not retransmitted'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l pretty -d 'Indent JSON over several lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l embed-json -d 'Embed JSON payloads as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l decompress -d 'Decompress gzip and deflate as the message says: in AMQP by its content encoding, in MQTT by the user property content-encoding or the first bytes of gzip, in CoAP by a content format such as application/json@deflate; a payload that cannot be decompressed is passed on unchanged'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l resume -d 'Store partial downloads in FILE.part, and resume an interrupted one if the ETag is unchanged (get)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l replay -d 'Send the records of --ndjson at the pace of their timestamps, instead of as fast as possible'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ipatch" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l retry -d 'Observe again after an outage: never, forever, or for outages up to TIME' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l keep-alive -d 'Ping the server at this interval, to keep NAT bindings open and to detect outages' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s C -l count -d 'End after this many messages' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s W -l timeout -d 'Fail after this long, with exit code 5' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l for -d 'End after this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l idle -d 'End when nothing arrives for this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l filter -d 'Only messages that meet this condition: payload, a JSON pointer such as /temp or a field below, then ==, !=, <, <=, >, >= or contains, then a value, as \'payload == 21.5\', \'/temp > 20\' and \'topic contains kitchen\'; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l until -d 'End at a message that meets this condition; any other end fails with exit code 7' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l expect -d 'Fail with exit code 7 at a message that does not meet this condition; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l exec -d 'Run this command for each message, with the body on standard input and the fields listed below in its environment; all arguments after --exec, flags too, belong to the command, so put it last. Exit code 0 acknowledges the message, any other rejects it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l workers -d 'Number of commands that run at the same time [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l cbor -d 'Send CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l template -d 'Send this text with its placeholders filled in for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s t -l content-format -d 'Content format of the body: number, media type or short name such as json [default: cbor with --cbor]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l token -d 'Token of the request, at most 8 bytes: text, or 0x and hexadecimal digits, or \'\' for none [default: 8 random bytes]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l bind-port -d 'Local UDP port to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s O -l option -d 'Add an option, by name or number; the value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l accept -d 'Content format to accept: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l proxy -d 'Send requests through this proxy, coap://HOST[:PORT] or another scheme; the URI is that of the origin server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l proxy-mode -d 'How the URI is sent to the proxy: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri if the proxy does not support it' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l oscore-secret -d 'OSCORE master secret; enables OSCORE (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l oscore-secret-file -d 'File with the OSCORE master secret, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l oscore-salt -d 'OSCORE master salt, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l oscore-sender-id -d 'OSCORE sender ID of this side, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l oscore-recipient-id -d 'OSCORE recipient ID, which is the peer\'s sender ID, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l oscore-id-context -d 'OSCORE ID context, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l oscore-state -d 'File that stores the sender sequence number, which must never be reused [default: one per context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l pcap -d 'Capture every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683; DTLS and TLS traffic is captured decrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l ack-timeout -d 'ACK_TIMEOUT: time to the first retransmission; it doubles each time [default: 2s, adapted to measured round trips]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l max-retransmit -d 'MAX_RETRANSMIT: maximum number of retransmissions [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l block -d 'Block size for block-wise transfers, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l body-limit -d 'Largest response body accepted, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l collect -d 'How long to collect responses from a multicast group' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l output -d 'Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s F -l format -d 'Format messages with a mosquitto format string, such as \'%I %t %p\'; iotctl-mqtt-sub(1) lists the sequences' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l decode -d 'Decode the payload (text and -F): JSON indented, CBOR in diagnostic notation, SenML and link-format with one line per entry; the format is taken from the message unless given here, as a media type or a short name such as cbor; hex and base64 are decoded for every output, and before conditions are checked' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l psk-identity -d 'Identity of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l psk-file -d 'File with the pre-shared key, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l no-reregister -d 'Do not register again when no notification arrives within Max-Age'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l no-deregister -d 'Exit without cancelling the observation; a later notification is rejected with a reset'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l exec-json -d 'Pass the whole message on standard input as one line of JSON, as --output json shows it, instead of the body'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s s -l stdin -d 'Send all of standard input'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s l -l lines -d 'Send each line of standard input in a request of its own'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l ndjson -d 'Send the records on standard input, one JSON object per line, as written by --output json; the topic of a record is its path'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s n -l null-message -d 'Send no body'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l hex -d 'The body is given in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l base64 -d 'The body is given in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l no-uri-host -d 'Do not send the Uri-Host option'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l pretty -d 'Indent JSON over several lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l embed-json -d 'Embed JSON payloads as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l decompress -d 'Decompress gzip and deflate as the message says: in AMQP by its content encoding, in MQTT by the user property content-encoding or the first bytes of gzip, in CoAP by a content format such as application/json@deflate; a payload that cannot be decompressed is passed on unchanged'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from observe" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l rt -d 'Only resources of this type (rt); a trailing * matches any suffix' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l if -d 'Only resources with this interface description (if); a trailing * matches any suffix' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l href -d 'Only resources at this path; a trailing * matches any suffix' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l ct -d 'Only resources with this content format, by number' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l output -d 'Output format: table, tree, json (one object per line), paths, or raw (the unmodified response)' -r -f -a "table\t''
tree\t''
json\t''
paths\t''
raw\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s O -l option -d 'Add an option, by name or number; the value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l accept -d 'Content format to accept: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l proxy -d 'Send requests through this proxy, coap://HOST[:PORT] or another scheme; the URI is that of the origin server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l proxy-mode -d 'How the URI is sent to the proxy: scheme (Proxy-Scheme and the Uri options), uri (Proxy-Uri), or auto: scheme, then uri if the proxy does not support it' -r -f -a "auto\t''
scheme\t''
uri\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l oscore-secret -d 'OSCORE master secret; enables OSCORE (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l oscore-secret-file -d 'File with the OSCORE master secret, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l oscore-salt -d 'OSCORE master salt, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l oscore-sender-id -d 'OSCORE sender ID of this side, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l oscore-recipient-id -d 'OSCORE recipient ID, which is the peer\'s sender ID, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l oscore-id-context -d 'OSCORE ID context, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l oscore-state -d 'File that stores the sender sequence number, which must never be reused [default: one per context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l pcap -d 'Capture every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683; DTLS and TLS traffic is captured decrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s W -l timeout -d 'Give up when no response arrives for this long; 0 waits as long as RFC 7252 specifies' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l ack-timeout -d 'ACK_TIMEOUT: time to the first retransmission; it doubles each time [default: 2s, adapted to measured round trips]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l max-retransmit -d 'MAX_RETRANSMIT: maximum number of retransmissions [default: 4]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l block -d 'Block size for block-wise transfers, in bytes: 16, 32, 64, 128, 256, 512 or 1024 [default: 1024]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l body-limit -d 'Largest response body accepted, in bytes such as 1MiB [default: 64MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l collect -d 'How long to collect responses from a multicast group' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l psk-identity -d 'Identity of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l psk-file -d 'File with the pre-shared key, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l obs -d 'Only observable resources'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s R -l recursive -d 'Also query the link lists on the same server that its links point to (content format 40)'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s v -l verbose -d 'Show the request and the response with their options on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -s N -l non -d 'Send non-confirmable requests, which are not retransmitted'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from discover" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from rd" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from rd" -f -a "register" -d 'Register an endpoint and its links, and print the URI of the registration'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from rd" -f -a "update" -d 'Extend a registration, or change its attributes'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from rd" -f -a "remove" -d 'Remove a registration'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from rd" -f -a "lookup" -d 'Find resources or endpoints'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s C -l count -d 'Number of pings; 0 for no limit' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s i -l interval -d 'Interval between pings' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s W -l timeout -d 'Time to wait for each response' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l output -d 'Output format: text, or json with one object per line' -r -f -a "text\t''
json\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l pcap -d 'Capture every message in this file for Wireshark (pcapng), as UDP or TCP on port 5683; DTLS and TLS traffic is captured decrypted' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -s A -l bind -d 'Local IP address to send from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l psk-identity -d 'Identity of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l psk-file -d 'File with the pre-shared key, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l trace -d 'Show every message on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from ping" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l listen -d 'Address to listen on: [coap|coaps|coap+tcp|coaps+tcp|coap+ws|coaps+ws://]ADDR:PORT; port 0 picks a free port, printed on the first line of standard output; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l leisure -d 'Leisure: respond to multicast requests at a random time within this span' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l cert -d 'PEM file of the server\'s certificate chain, for the encrypted schemes' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l key -d 'PEM file of the server\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l client-ca -d 'PEM file of client CA certificates; clients must present a certificate signed by one of them, or one of them' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l psk-identity -d 'Identity of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l psk-file -d 'File with the pre-shared key, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l oscore-secret -d 'OSCORE master secret; enables OSCORE (RFC 8613): text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --oscore-secret-file or IOTCTL_OSCORE_SECRET' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l oscore-secret-file -d 'File with the OSCORE master secret, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l oscore-salt -d 'OSCORE master salt, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l oscore-sender-id -d 'OSCORE sender ID of this side, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l oscore-recipient-id -d 'OSCORE recipient ID, which is the peer\'s sender ID, in the same notation, at most 7 bytes [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l oscore-id-context -d 'OSCORE ID context, in the same notation' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l oscore-state -d 'File that stores the sender sequence number, which must never be reused [default: one per context under $XDG_STATE_HOME/iotctl/oscore or ~/.local/state/iotctl/oscore]' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -s r -l resource -d 'A resource: /PATH=KIND[:ARGUMENT], listed below; may be repeated [default: /counter, /clock, /sensor and /store]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -s d -l directory -d 'Serve the files of this directory' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l fault -d 'Fault to inject into messages: NAME[:KEY=VALUE[,KEY=VALUE]...], listed below; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l multicast -d 'Also join the All CoAP Nodes multicast groups (224.0.1.187, ff02::fd, ff05::fd) on the network interface of each coap:// listener'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l challenge -d 'Require UDP clients to prove their address (Echo, RFC 9175), so that the server cannot be used as an amplifier'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l writable -d 'Allow PUT and DELETE of files'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l plugtest -d 'Serve the resources of the ETSI CoAP plugtest'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -s v -l verbose -d 'Log each request on standard error'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l end-with-parent -d 'Exit when the parent process exits'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand coap; and __fish_seen_subcommand_from server" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "publish" -d 'Publish messages and wait for their confirms'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "consume" -d 'Consume messages from a queue or an exchange'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "tap" -d 'Show copies of the messages that pass through an exchange'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "get" -d 'Get messages from a queue without waiting for more'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "request" -d 'Send requests and show the replies'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "respond" -d 'Reply to requests with an echo, a fixed text, or the output of a command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "declare" -d 'Declare a queue or an exchange, or check that it exists'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "delete" -d 'Delete a queue or an exchange'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "bind" -d 'Bind a queue or an exchange to an exchange'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "unbind" -d 'Remove a binding'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "apply" -d 'Create the exchanges, queues and bindings described in a file, or check them'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "purge" -d 'Remove all messages from a queue'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "ping" -d 'Connect, log in and measure round trips, as a health check'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and not __fish_seen_subcommand_from publish consume tap get request respond declare delete bind unbind apply purge ping broker" -f -a "broker" -d 'Run the embedded broker, for development and tests'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s e -l exchange -d 'Exchange to publish to [default: the default exchange, where the routing key is the name of a queue]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s k -l routing-key -d 'Routing key; may be repeated: each message is published once per key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l address -d 'AMQP 1.0 target address, such as /queue/orders or a plain name; replaces -e and -k and implies --protocol 1.0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s m -l message -d 'Publish this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s f -l file -d 'Publish the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l template -d 'Publish this text with its placeholders filled in for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l cbor -d 'Publish CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l window -d 'Maximum number of unconfirmed messages' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l repeat -d 'Send each message this many times' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l repeat-delay -d 'Interval between repetitions of a message' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l rate -d 'Maximum rate in messages per second, such as 1000, 10k, 0.5 or 30/m [default: as fast as the server accepts them]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l burst -d 'Burst size of --rate, in messages [default: 10 ms worth of messages, at least 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l speed -d 'Speed of --replay: 2 is twice as fast as recorded [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l ack-timeout -d 'Give up when no confirm arrives for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l exchange-type -d 'Type of the declared exchange: direct, fanout, topic, headers or a plugin\'s [default: direct]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l content-type -d 'MIME type of the body' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l content-encoding -d 'Content encoding of the body, such as gzip' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l header -d 'Header; the type is inferred, or given as NAME:TYPE=VALUE: string, int, int32, bool, double, decimal, time, hex, base64, json, null; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l priority -d 'Priority, for priority queues; 0 is the lowest' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l expiration -d 'Per-message TTL, such as 30s, in whole milliseconds' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l message-id -d 'Message identifier' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l timestamp -d 'Timestamp, in seconds since 1970' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l message-type -d 'Message type: the property type' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l user-id -d 'User name of the publisher, validated by the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l app-id -d 'Identifier of the publishing application' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l correlation-id -d 'Correlation identifier for the reply' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l reply-to -d 'Queue for the reply' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l protocol -d 'AMQP version, two different protocols; auto uses 0-9-1, or 1.0 if the server supports nothing else; 1.0 is available in publish, consume and ping' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l vhost -d 'Virtual host [default: the path of the URL, or /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l auth -d 'SASL mechanism [default: external with --cert and no user name, otherwise plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l heartbeat -d 'Heartbeat interval, in whole seconds up to 65535; the server may lower it; 0 accepts the server\'s value' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l frame-max -d 'Largest frame, in bytes such as 128KiB; at least 4096, capped at 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l connection-name -d 'Connection name shown by the server [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l reply-timeout -d 'Give up when the server does not reply to a request, such as a declaration, for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s s -l stdin -d 'Publish all of standard input as one message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s l -l lines -d 'Publish each line of standard input as a message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s 0 -l null-delimited -d 'Publish each NUL-terminated record of standard input as a message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -s n -l null-message -d 'Publish an empty message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l ndjson -d 'Publish the records on standard input, one JSON object per line, as written by --output json'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l hex -d 'The messages are given in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l base64 -d 'The messages are given in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l mandatory -d 'Fail if a message cannot be routed to a queue'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l no-confirm -d 'Do not use publisher confirms'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l replay -d 'Send the records of --ndjson at the pace of their timestamps, instead of as fast as possible'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l declare -d 'First declare the destination, durable: the exchange of -e, or the queues named by the routing keys'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l persistent -d 'Persistent message: delivery mode 2'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from publish" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s e -l exchange -d 'Exchange to bind the queue to first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l address -d 'AMQP 1.0 source address, such as /queue/orders or a plain name; replaces QUEUE and implies --protocol 1.0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s k -l routing-key -d 'Binding key, such as *.error; may be repeated [default: #, which matches everything on a topic or fanout exchange]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l ack -d 'How a message is settled after it was shown: ack; auto, by the server on delivery; nack and reject, which drop or dead-letter it; requeue, at once; peek, which requeues all at the end' -r -f -a "ack\t''
auto\t''
nack\t''
reject\t''
requeue\t''
peek\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l prefetch -d 'Prefetch count: unacknowledged messages the server may send, 1 to 65535 [default: 100; with --exec, the number of workers]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l priority -d 'Consumer priority; higher numbers are served first' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l offset -d 'Where to start in a stream: first, last, next, an offset, @SECONDS since 1970, or an interval such as 1h' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l consumer-tag -d 'Consumer tag [default: generated by the server]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l argument -d 'Consumer argument; types as in `amqp declare`; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l exec -d 'Run this command for each message, with the body on standard input and the fields listed below in its environment; all arguments after --exec, flags too, belong to the command, so put it last. Exit code 0 acknowledges the message, any other rejects it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l workers -d 'Number of commands that run at the same time [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l filter -d 'Only messages that meet this condition: payload, a JSON pointer such as /temp or a field below, then ==, !=, <, <=, >, >= or contains, then a value, as \'payload == 21.5\', \'/temp > 20\' and \'topic contains kitchen\'; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l until -d 'End at a message that meets this condition; any other end fails with exit code 7' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l expect -d 'Fail with exit code 7 at a message that does not meet this condition; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s C -l count -d 'End after this many messages' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s W -l timeout -d 'Fail after this long, with exit code 5' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l for -d 'End after this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l idle -d 'End when nothing arrives for this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l decode -d 'Decode the payload (text and -F): JSON indented, CBOR in diagnostic notation, SenML and link-format with one line per entry; the format is taken from the message unless given here, as a media type or a short name such as cbor; hex and base64 are decoded for every output, and before conditions are checked' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l output -d 'Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s F -l format -d 'Format messages with a mosquitto format string, such as \'%I %t %p\'; iotctl-mqtt-sub(1) lists the sequences' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l protocol -d 'AMQP version, two different protocols; auto uses 0-9-1, or 1.0 if the server supports nothing else; 1.0 is available in publish, consume and ping' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l vhost -d 'Virtual host [default: the path of the URL, or /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l auth -d 'SASL mechanism [default: external with --cert and no user name, otherwise plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l heartbeat -d 'Heartbeat interval, in whole seconds up to 65535; the server may lower it; 0 accepts the server\'s value' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l frame-max -d 'Largest frame, in bytes such as 128KiB; at least 4096, capped at 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l connection-name -d 'Connection name shown by the server [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l reply-timeout -d 'Give up when the server does not reply to a request, such as a declaration, for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l declare -d 'First declare the queue, durable and without arguments; use `amqp declare queue` for anything else'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l exclusive -d 'Request exclusive access: no other consumer on the queue'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l exec-json -d 'Pass the whole message on standard input as one line of JSON, as --output json shows it, instead of the body'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l requeue -d 'Requeue a message whose command failed, instead of dropping or dead-lettering it'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l decompress -d 'Decompress gzip and deflate as the message says: in AMQP by its content encoding, in MQTT by the user property content-encoding or the first bytes of gzip, in CoAP by a content format such as application/json@deflate; a payload that cannot be decompressed is passed on unchanged'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l pretty -d 'Indent JSON over several lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l embed-json -d 'Embed JSON payloads as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s v -l verbose -d 'Show the topic before each payload (text, hex and base64)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -s N -l no-newline -d 'No line break after each message (text and -F)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from consume" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s k -l routing-key -d 'Binding key of the messages to copy, such as *.error; may be repeated [default: #, which matches everything on a topic or fanout exchange]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l exec -d 'Run this command for each message, with the body on standard input and the fields listed below in its environment; all arguments after --exec, flags too, belong to the command, so put it last. Exit code 0 acknowledges the message, any other rejects it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l workers -d 'Number of commands that run at the same time [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l filter -d 'Only messages that meet this condition: payload, a JSON pointer such as /temp or a field below, then ==, !=, <, <=, >, >= or contains, then a value, as \'payload == 21.5\', \'/temp > 20\' and \'topic contains kitchen\'; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l until -d 'End at a message that meets this condition; any other end fails with exit code 7' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l expect -d 'Fail with exit code 7 at a message that does not meet this condition; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s C -l count -d 'End after this many messages' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s W -l timeout -d 'Fail after this long, with exit code 5' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l for -d 'End after this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l idle -d 'End when nothing arrives for this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l decode -d 'Decode the payload (text and -F): JSON indented, CBOR in diagnostic notation, SenML and link-format with one line per entry; the format is taken from the message unless given here, as a media type or a short name such as cbor; hex and base64 are decoded for every output, and before conditions are checked' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l output -d 'Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s F -l format -d 'Format messages with a mosquitto format string, such as \'%I %t %p\'; iotctl-mqtt-sub(1) lists the sequences' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l protocol -d 'AMQP version, two different protocols; auto uses 0-9-1, or 1.0 if the server supports nothing else; 1.0 is available in publish, consume and ping' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l vhost -d 'Virtual host [default: the path of the URL, or /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l auth -d 'SASL mechanism [default: external with --cert and no user name, otherwise plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l heartbeat -d 'Heartbeat interval, in whole seconds up to 65535; the server may lower it; 0 accepts the server\'s value' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l frame-max -d 'Largest frame, in bytes such as 128KiB; at least 4096, capped at 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l connection-name -d 'Connection name shown by the server [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l reply-timeout -d 'Give up when the server does not reply to a request, such as a declaration, for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l firehose -d 'Tap all exchanges and queues, by RabbitMQ\'s firehose (enable it with `rabbitmqctl trace_on`); KEY is then publish.EXCHANGE or deliver.QUEUE'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l exec-json -d 'Pass the whole message on standard input as one line of JSON, as --output json shows it, instead of the body'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l decompress -d 'Decompress gzip and deflate as the message says: in AMQP by its content encoding, in MQTT by the user property content-encoding or the first bytes of gzip, in CoAP by a content format such as application/json@deflate; a payload that cannot be decompressed is passed on unchanged'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l pretty -d 'Indent JSON over several lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l embed-json -d 'Embed JSON payloads as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s v -l verbose -d 'Show the topic before each payload (text, hex and base64)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -s N -l no-newline -d 'No line break after each message (text and -F)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from tap" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s C -l count -d 'Get at most this many messages [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l ack -d 'How a message is settled after it was shown: ack; auto, by the server on delivery; nack and reject, which drop or dead-letter it; requeue and peek, which requeue it at the end' -r -f -a "ack\t''
auto\t''
nack\t''
reject\t''
requeue\t''
peek\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l output -d 'Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s F -l format -d 'Format messages with a mosquitto format string, such as \'%I %t %p\'; iotctl-mqtt-sub(1) lists the sequences' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l protocol -d 'AMQP version, two different protocols; auto uses 0-9-1, or 1.0 if the server supports nothing else; 1.0 is available in publish, consume and ping' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l vhost -d 'Virtual host [default: the path of the URL, or /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l auth -d 'SASL mechanism [default: external with --cert and no user name, otherwise plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l heartbeat -d 'Heartbeat interval, in whole seconds up to 65535; the server may lower it; 0 accepts the server\'s value' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l frame-max -d 'Largest frame, in bytes such as 128KiB; at least 4096, capped at 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l connection-name -d 'Connection name shown by the server [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l reply-timeout -d 'Give up when the server does not reply to a request, such as a declaration, for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l declare -d 'First declare the queue, durable and without arguments'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l all -d 'Get messages until the queue is empty'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l pretty -d 'Indent JSON over several lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l embed-json -d 'Embed JSON payloads as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Show the topic before each payload (text, hex and base64)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -s N -l no-newline -d 'No line break after each message (text and -F)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from get" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s k -l routing-key -d 'The same as the argument KEY' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s e -l exchange -d 'Exchange to publish the requests to [default: the default exchange]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s m -l message -d 'Publish this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s f -l file -d 'Publish the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l template -d 'Publish this text with its placeholders filled in for each of --repeat: {seq}, {time}, {unix_ms}, {uuid}, {random:LOW-HIGH}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l cbor -d 'Publish CBOR, written in diagnostic notation: \'{"on": true, "level": 21.5}\'' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l reply-to -d 'Existing queue for the replies [default: direct reply-to, which needs no queue]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s W -l timeout -d 'Fail with exit code 5 if a reply takes longer than this' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l exchange-type -d 'Type of the declared exchange: direct, fanout, topic, headers or a plugin\'s [default: direct]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l content-type -d 'MIME type of the body' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l content-encoding -d 'Content encoding of the body, such as gzip' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l header -d 'Header; the type is inferred, or given as NAME:TYPE=VALUE: string, int, int32, bool, double, decimal, time, hex, base64, json, null; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l priority -d 'Priority, for priority queues; 0 is the lowest' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l expiration -d 'Per-message TTL, such as 30s, in whole milliseconds' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l message-id -d 'Message identifier' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l timestamp -d 'Timestamp, in seconds since 1970' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l message-type -d 'Message type: the property type' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l user-id -d 'User name of the publisher, validated by the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l app-id -d 'Identifier of the publishing application' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l output -d 'Output format: text, hex and base64 write the payload and a line break; raw writes the payload only; json writes one object per line; csv writes a header and one row per message' -r -f -a "text\t''
json\t''
raw\t''
csv\t''
hex\t''
base64\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s F -l format -d 'Format messages with a mosquitto format string, such as \'%I %t %p\'; iotctl-mqtt-sub(1) lists the sequences' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l protocol -d 'AMQP version, two different protocols; auto uses 0-9-1, or 1.0 if the server supports nothing else; 1.0 is available in publish, consume and ping' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l vhost -d 'Virtual host [default: the path of the URL, or /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l auth -d 'SASL mechanism [default: external with --cert and no user name, otherwise plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l heartbeat -d 'Heartbeat interval, in whole seconds up to 65535; the server may lower it; 0 accepts the server\'s value' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l frame-max -d 'Largest frame, in bytes such as 128KiB; at least 4096, capped at 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l connection-name -d 'Connection name shown by the server [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l reply-timeout -d 'Give up when the server does not reply to a request, such as a declaration, for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s s -l stdin -d 'Publish all of standard input as one message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s l -l lines -d 'Publish each line of standard input as a message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s 0 -l null-delimited -d 'Publish each NUL-terminated record of standard input as a message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s n -l null-message -d 'Publish an empty message'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l ndjson -d 'Publish the records on standard input, one JSON object per line, as written by --output json'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l hex -d 'The messages are given in hexadecimal digits'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l base64 -d 'The messages are given in base64'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l declare -d 'First declare the destination, durable: the exchange of -e, or the queues named by the routing keys'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l persistent -d 'Persistent message: delivery mode 2'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l pretty -d 'Indent JSON over several lines (json; -F: %j and %J)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l embed-json -d 'Embed JSON payloads as payload_json (json)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s v -l verbose -d 'Show the topic before each payload (text, hex and base64)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -s N -l no-newline -d 'No line break after each message (text and -F)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from request" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s m -l message -d 'Reply with this text; with --exec the reply is the output of the command' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s C -l count -d 'End after this many requests' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l for -d 'End after this long, with exit code 0' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l exec -d 'Run this command for each message, with the body on standard input and the fields listed below in its environment; all arguments after --exec, flags too, belong to the command, so put it last. Exit code 0 acknowledges the message, any other rejects it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l workers -d 'Number of commands that run at the same time [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l content-type -d 'MIME type of the body' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l content-encoding -d 'Content encoding of the body, such as gzip' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l header -d 'Header; the type is inferred, or given as NAME:TYPE=VALUE: string, int, int32, bool, double, decimal, time, hex, base64, json, null; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l priority -d 'Priority, for priority queues; 0 is the lowest' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l expiration -d 'Per-message TTL, such as 30s, in whole milliseconds' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l message-id -d 'Message identifier' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l timestamp -d 'Timestamp, in seconds since 1970' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l message-type -d 'Message type: the property type' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l user-id -d 'User name of the publisher, validated by the server' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l app-id -d 'Identifier of the publishing application' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l protocol -d 'AMQP version, two different protocols; auto uses 0-9-1, or 1.0 if the server supports nothing else; 1.0 is available in publish, consume and ping' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l vhost -d 'Virtual host [default: the path of the URL, or /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l auth -d 'SASL mechanism [default: external with --cert and no user name, otherwise plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l heartbeat -d 'Heartbeat interval, in whole seconds up to 65535; the server may lower it; 0 accepts the server\'s value' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l frame-max -d 'Largest frame, in bytes such as 128KiB; at least 4096, capped at 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l connection-name -d 'Connection name shown by the server [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l reply-timeout -d 'Give up when the server does not reply to a request, such as a declaration, for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l declare -d 'First declare the queue, durable and without arguments'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l echo -d 'Reply with the request itself'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l exec-json -d 'Pass the whole message on standard input as one line of JSON, as --output json shows it, instead of the body'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l requeue -d 'Requeue a message whose command failed, instead of dropping or dead-lettering it'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l persistent -d 'Persistent message: delivery mode 2'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from respond" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from declare" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from declare" -f -a "queue" -d 'Declare a queue and print its name and its message and consumer counts'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from declare" -f -a "exchange" -d 'Declare an exchange'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from delete" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from delete" -f -a "queue" -d 'Delete a queue and its messages'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from delete" -f -a "exchange" -d 'Delete an exchange'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s e -l exchange -d 'Source exchange' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l to-exchange -d 'Destination exchange, instead of a queue' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s k -l routing-key -d 'Binding key, such as *.error; may be repeated [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l argument -d 'Binding argument, such as x-match=any and the headers to match; types as in `amqp declare`; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l protocol -d 'AMQP version, two different protocols; auto uses 0-9-1, or 1.0 if the server supports nothing else; 1.0 is available in publish, consume and ping' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l vhost -d 'Virtual host [default: the path of the URL, or /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l auth -d 'SASL mechanism [default: external with --cert and no user name, otherwise plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l heartbeat -d 'Heartbeat interval, in whole seconds up to 65535; the server may lower it; 0 accepts the server\'s value' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l frame-max -d 'Largest frame, in bytes such as 128KiB; at least 4096, capped at 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l connection-name -d 'Connection name shown by the server [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l reply-timeout -d 'Give up when the server does not reply to a request, such as a declaration, for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from bind" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s e -l exchange -d 'Source exchange' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l to-exchange -d 'Destination exchange, instead of a queue' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s k -l routing-key -d 'Binding key, such as *.error; may be repeated [default: empty]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l argument -d 'Binding argument, such as x-match=any and the headers to match; types as in `amqp declare`; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l protocol -d 'AMQP version, two different protocols; auto uses 0-9-1, or 1.0 if the server supports nothing else; 1.0 is available in publish, consume and ping' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l vhost -d 'Virtual host [default: the path of the URL, or /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l auth -d 'SASL mechanism [default: external with --cert and no user name, otherwise plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l heartbeat -d 'Heartbeat interval, in whole seconds up to 65535; the server may lower it; 0 accepts the server\'s value' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l frame-max -d 'Largest frame, in bytes such as 128KiB; at least 4096, capped at 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l connection-name -d 'Connection name shown by the server [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l reply-timeout -d 'Give up when the server does not reply to a request, such as a declaration, for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from unbind" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l output -d 'Output format: text, or json with one object per line' -r -f -a "text\t''
json\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l protocol -d 'AMQP version, two different protocols; auto uses 0-9-1, or 1.0 if the server supports nothing else; 1.0 is available in publish, consume and ping' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l vhost -d 'Virtual host [default: the path of the URL, or /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l auth -d 'SASL mechanism [default: external with --cert and no user name, otherwise plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l heartbeat -d 'Heartbeat interval, in whole seconds up to 65535; the server may lower it; 0 accepts the server\'s value' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l frame-max -d 'Largest frame, in bytes such as 128KiB; at least 4096, capped at 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l connection-name -d 'Connection name shown by the server [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l reply-timeout -d 'Give up when the server does not reply to a request, such as a declaration, for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l check -d 'Change nothing; fail unless exchanges and queues match the file (AMQP offers no way to check bindings)'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from apply" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l output -d 'Output format: text, or json with one object per line' -r -f -a "text\t''
json\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l protocol -d 'AMQP version, two different protocols; auto uses 0-9-1, or 1.0 if the server supports nothing else; 1.0 is available in publish, consume and ping' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l vhost -d 'Virtual host [default: the path of the URL, or /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l auth -d 'SASL mechanism [default: external with --cert and no user name, otherwise plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l heartbeat -d 'Heartbeat interval, in whole seconds up to 65535; the server may lower it; 0 accepts the server\'s value' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l frame-max -d 'Largest frame, in bytes such as 128KiB; at least 4096, capped at 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l connection-name -d 'Connection name shown by the server [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l reply-timeout -d 'Give up when the server does not reply to a request, such as a declaration, for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from purge" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -s C -l count -d 'Number of round trips [default: 1]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l interval -d 'Interval between round trips [default: 1s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l output -d 'Output format: text, or json with one object per line' -r -f -a "text\t''
json\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l protocol -d 'AMQP version, two different protocols; auto uses 0-9-1, or 1.0 if the server supports nothing else; 1.0 is available in publish, consume and ping' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l vhost -d 'Virtual host [default: the path of the URL, or /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l auth -d 'SASL mechanism [default: external with --cert and no user name, otherwise plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l heartbeat -d 'Heartbeat interval, in whole seconds up to 65535; the server may lower it; 0 accepts the server\'s value' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l frame-max -d 'Largest frame, in bytes such as 128KiB; at least 4096, capped at 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l connection-name -d 'Connection name shown by the server [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l reply-timeout -d 'Give up when the server does not reply to a request, such as a declaration, for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -s A -l bind -d 'Local IP address to connect from' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from ping" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l listen -d 'Address to listen on: [amqp|amqps://]ADDR:PORT or unix:PATH; port 0 picks a free port, printed on the first line of standard output; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l cert -d 'PEM file of the server\'s certificate chain, for the encrypted schemes' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l key -d 'PEM file of the server\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l client-ca -d 'PEM file of client CA certificates; clients must present a certificate signed by one of them, or one of them' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l user -d 'User allowed to log in; all others are refused; may be repeated. The password is visible in the process list [default: anyone may log in]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l password-file -d 'File of USER:PASSWORD lines, in plain text or in mosquitto_passwd format; all other users are refused. Reloaded on SIGHUP' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l vhost -d 'Virtual host; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l max-connections -d 'Maximum number of connected clients [default: no limit]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l connect-timeout -d 'Time allowed for a connection to log in [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l heartbeat -d 'Heartbeat interval offered to clients, in seconds; 0 disables heartbeats [default: 60]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l channel-max -d 'Maximum number of channels per connection; 0 for no limit [default: 2047]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l max-message-size -d 'Largest message body accepted, such as 1MiB [default: 128MiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l max-memory -d 'Memory limit for all messages; above it publishers are blocked until messages are consumed [default: 1GiB]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l fault -d 'Fault to inject: NAME[:KEY=VALUE[,KEY=VALUE]...], listed below; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l end-with-parent -d 'Exit when the parent process exits'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand amqp; and __fish_seen_subcommand_from broker" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -f -a "mqtt" -d 'Load-test an MQTT broker'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -f -a "amqp" -d 'Load-test an AMQP broker'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -f -a "coap" -d 'Load-test a CoAP server'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -f -a "run" -d 'Run the load test that a file describes'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -f -a "report" -d 'Show a saved result in any format'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -f -a "compare" -d 'Compare two sets of runs'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and not __fish_seen_subcommand_from mqtt amqp coap run report compare merge" -f -a "merge" -d 'Merge the results of several workers into one'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l scenario -d 'Load scenario, listed below; it sets the defaults of other flags' -r -f -a "publish\t''
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
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l publishers -d 'Number of publishing connections [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l subscribers -d 'Number of subscribing connections [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s t -l topic -d 'Topic to publish to: {client} is the number of the client, {seq} of the message, {group} of the client\'s group [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l filter -d 'Filter to subscribe to [default: what matches --topic]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l groups -d 'Number of values of {group}' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s q -l qos -d 'Quality of service of messages: 0 at most once, 1 at least once, 2 exactly once' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l sub-qos -d 'Quality of service of subscriptions [default: same as --qos]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l size -d 'Message size in bytes, or a range such as 64-1KiB; full measurement needs at least 24' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l template -d 'Send this text, with {client}, {seq}, {time}, {unix_ms}, {random:LOW-HIGH} and {uuid} filled in; other braces are text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l shared-group -d 'Shared subscription of this name: each message goes to one subscriber' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l retained-messages -d 'In the retained-storm scenario: retained messages per client' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l away -d 'In the backlog scenario: how long subscribers stay offline, and online in between' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s I -l id-prefix -d 'Prefix of the client identifiers; a number follows [default: generated]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s k -l keepalive -d 'Keep Alive interval, in whole seconds up to 65535; 0 disables it' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l rate -d 'Total message rate per second, sent on schedule, regardless of how fast the server responds (open loop): 1000, 10k, 0.5, 30/m' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l ramp -d 'Ramp up linearly from 0 to --rate in this time' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l stage -d 'Load stage: TIME:RATE, TIME:RATE-RATE for a ramp, or RATE until the end; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l arrivals -d 'Distribution of send times: constant, uniform, poisson, devices, bursts:TIME, or recorded:FILE with one gap, or one record with its time, per line' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s M -l window -l max-inflight -d 'Maximum number of unacknowledged messages per connection, 1 to 65535' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l ack-timeout -d 'Time out a message that is not acknowledged after this long, and free its place in the window' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l think -d 'Pause between an acknowledgement and the next message, with --max' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s d -l duration -d 'Measured time [default: 10s; with --count or --stage, until they are done]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l count -d 'Total number of messages to send' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l warmup -d 'Warm-up time before the measurement, excluded from the figures' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l drain -d 'Wait at most this long for outstanding messages after the last one was sent' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l interval -d 'Interval of the time series and of the live lines' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l threads -d 'Worker threads, 1 to 1024' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l coalesce -d 'Coalesce reads: never, adaptive, or a TIME such as 500us [default: adaptive with --max, else never]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l connect-rate -d 'New connections per second [default: as fast as possible]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l shard -d 'Generate this shard of the load: INDEX/COUNT, from 0 [default: IOTCTL_SHARD; JOB_COMPLETION_INDEX with IOTCTL_SHARDS; SLURM_PROCID with SLURM_NTASKS]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l start-at -d 'Start sending at this time, to synchronize shards: 2026-11-20T21:00:00Z, or seconds since 1970' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l run-id -d 'Identifier of the run, the same for all shards [default: IOTCTL_RUN; SLURM_JOB_ID; without shards, a new one each time]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l clock-error -d 'Maximum clock difference between the shards\' machines; without it shards do not report end-to-end latency; 0 for shards on one machine' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l seed -d 'Random seed, for repeatable runs' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l assert -d 'Threshold, such as \'p99 < 20ms\', on a quantity listed below; exit code 7 if it is not met; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s o -l output -d 'Format of the report on standard output' -r -f -a "text\t''
json\t''
csv\t''
hlog\t''
prometheus\t''
html\t''
markdown\t''
junit\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l save-json -d 'Also write the result to a file, for bench report, compare and merge' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l html -d 'Write an HTML page with plots to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l csv -d 'Write the time series to a CSV file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l hlog -d 'Write the latency distributions to a file, as an HdrHistogram V2 log' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l markdown -d 'Write a Markdown summary to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l junit -d 'Write the threshold results to a file, as JUnit test cases' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l prometheus-listen -d 'Serve Prometheus metrics at http://ADDR:PORT/metrics during the run' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s p -l port -d 'Port, 1 to 65535 [default: 1883, with TLS 8883, with --ws 80 or 443]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l ws-header -l header -d 'Header for the WebSocket handshake; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s A -l bind -d 'Local IP addresses to connect from, in turn, each with up to 64,000 connections' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, pub 30s, sub forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l embedded -d 'Start the embedded broker for the run, in its own process'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l calibrate -d 'Load a null peer that only responds, instead of a broker, to measure the limit of the generator on this machine'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l stamp-property -d 'Put the measurement stamp in a user property (MQTT 5) instead of the payload'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l stamp -d 'Overwrite the first 24 bytes of --file or --message with the measurement stamp'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s r -l retain -d 'Retain messages'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l clean -d 'Start with a clean session [default]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -s c -l no-clean -d 'Keep the sessions when connections are lost'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l max -d 'Send as fast as --window allows [default without --rate and --stage]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l find-max -d 'Search for the highest rate that passes every --assert and loses no message, in runs of --duration, starting at --rate [default: 1k]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l no-resumption -d 'Do a full TLS handshake for each connection instead of resuming sessions'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l abort-on-miss -d 'Stop as soon as an interval misses a threshold'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from mqtt" -l ws -d 'Speak over WebSocket, as the URL schemes ws and wss do'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l scenario -d 'Load scenario, listed below; it sets the defaults of other flags' -r -f -a "publish-consume\t''
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
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l producers -d 'Number of publishing connections, or of those that do the scenario\'s work [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l consumers -d 'Number of consuming connections [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l channels -d 'Channels per connection, used in turn' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l queue -d 'Queue, declared for the run and deleted afterwards; {queue} is its number [default: generated]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l queues -d 'Number of queues; connections and channels are spread over them [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l queue-type -d 'Type of the queues' -r -f -a "classic\t''
quorum\t''
stream\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l argument -d 'Queue argument; types as in `amqp declare`; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s e -l exchange -d 'Exchange to publish to and to bind the queues to [default: the default exchange; with --type, a generated one]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l type -d 'Type of the exchange: direct, fanout, topic, headers, or x-... of a plugin [default: direct]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s k -l routing-key -d 'Routing key: {client} is the number of the producer, {seq} of the message, {queue} of the queue [default: the name of the queue]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l size -d 'Message size in bytes, or a range such as 64-1KiB; full measurement needs at least 24' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l prefetch -d 'Prefetch count: unacknowledged messages per consumer, up to 65535; 0 for no limit' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l multi-ack -d 'Acknowledge this many messages at a time, or fewer when no message arrives for a second' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l consumer-latency -d 'Processing time of each message before it is acknowledged, one after the other' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l nack -d 'Reject this share of the messages, such as 10%' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l get -d 'Poll with basic.get instead of consuming, with this pause when the queue is empty' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l offset -d 'Where to start in a stream: first, last, next, an offset, @SECONDS since 1970, or an interval such as 1h' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l rate -d 'Total message rate per second, sent on schedule, regardless of how fast the server responds (open loop): 1000, 10k, 0.5, 30/m' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l ramp -d 'Ramp up linearly from 0 to --rate in this time' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l stage -d 'Load stage: TIME:RATE, TIME:RATE-RATE for a ramp, or RATE until the end; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l arrivals -d 'Distribution of send times: constant, uniform, poisson, devices, bursts:TIME, or recorded:FILE with one gap, or one record with its time, per line' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s M -l window -l max-inflight -d 'Maximum number of unacknowledged messages per connection, 1 to 65535' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l ack-timeout -d 'Time out a message that is not acknowledged after this long, and free its place in the window' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l think -d 'Pause between an acknowledgement and the next message, with --max' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s d -l duration -d 'Measured time [default: 10s; with --count or --stage, until they are done]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l count -d 'Total number of messages to send' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l warmup -d 'Warm-up time before the measurement, excluded from the figures' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l drain -d 'Wait at most this long for outstanding messages after the last one was sent' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l interval -d 'Interval of the time series and of the live lines' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l threads -d 'Worker threads, 1 to 1024' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l coalesce -d 'Coalesce reads: never, adaptive, or a TIME such as 500us [default: adaptive with --max, else never]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l connect-rate -d 'New connections per second [default: as fast as possible]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l shard -d 'Generate this shard of the load: INDEX/COUNT, from 0 [default: IOTCTL_SHARD; JOB_COMPLETION_INDEX with IOTCTL_SHARDS; SLURM_PROCID with SLURM_NTASKS]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l start-at -d 'Start sending at this time, to synchronize shards: 2026-11-20T21:00:00Z, or seconds since 1970' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l run-id -d 'Identifier of the run, the same for all shards [default: IOTCTL_RUN; SLURM_JOB_ID; without shards, a new one each time]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l clock-error -d 'Maximum clock difference between the shards\' machines; without it shards do not report end-to-end latency; 0 for shards on one machine' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l seed -d 'Random seed, for repeatable runs' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l assert -d 'Threshold, such as \'p99 < 20ms\', on a quantity listed below; exit code 7 if it is not met; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s o -l output -d 'Format of the report on standard output' -r -f -a "text\t''
json\t''
csv\t''
hlog\t''
prometheus\t''
html\t''
markdown\t''
junit\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l save-json -d 'Also write the result to a file, for bench report, compare and merge' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l html -d 'Write an HTML page with plots to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l csv -d 'Write the time series to a CSV file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l hlog -d 'Write the latency distributions to a file, as an HdrHistogram V2 log' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l markdown -d 'Write a Markdown summary to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l junit -d 'Write the threshold results to a file, as JUnit test cases' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l prometheus-listen -d 'Serve Prometheus metrics at http://ADDR:PORT/metrics during the run' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l protocol -d 'AMQP version, two different protocols; auto uses 0-9-1, or 1.0 if the server supports nothing else; 1.0 is available in publish, consume and ping' -r -f -a "0-9-1\t''
1.0\t''
auto\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l vhost -d 'Virtual host [default: the path of the URL, or /]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l auth -d 'SASL mechanism [default: external with --cert and no user name, otherwise plain]' -r -f -a "plain\t''
amqplain\t''
external\t''
anonymous\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l heartbeat -d 'Heartbeat interval, in whole seconds up to 65535; the server may lower it; 0 accepts the server\'s value' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l frame-max -d 'Largest frame, in bytes such as 128KiB; at least 4096, capped at 1MiB' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l connection-name -d 'Connection name shown by the server [default: iotctl and the command]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l reply-timeout -d 'Give up when the server does not reply to a request, such as a declaration, for this long' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s L -l url -d 'Same as the URL argument' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s h -l host -d 'Host name or IP address [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l unix -d 'Unix socket instead of host and port' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s u -l username -d 'User name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s P -l password -d 'Password; other users of this machine can see it, so prefer --password-file or IOTCTL_PASSWORD' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l password-file -d 'File with the password; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s p -l port -d 'Port, 1 to 65535 [default: 5672, with TLS 5671]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l connect-timeout -d 'Give up connecting after this long: name, TCP and TLS together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -s A -l bind -d 'Local IP addresses to connect from, in turn, each with up to 64,000 connections' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l retry -d 'Reconnect: never, forever, or for outages up to TIME [default: never for the first connection; after that, publish 30s, consume and respond forever]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l embedded -d 'Start the embedded broker for the run, in its own process'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l calibrate -d 'Load a null peer that only responds, instead of a server, to measure the limit of the generator on this machine'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l predeclared -d 'Use the existing exchange, queues and bindings, and do not delete them'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l persistent -d 'Persistent messages, which survive a restart of the server'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l mandatory -d 'Count unroutable messages, which the server returns, as refused'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l no-confirm -d 'Publish without confirms; arrival is then checked every second, and --window has no effect'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l auto-ack -d 'Automatic acknowledgement mode: messages count as acknowledged when the server has sent them'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l requeue -d 'Requeue rejected messages'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l max -d 'Send as fast as --window allows [default without --rate and --stage]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l find-max -d 'Search for the highest rate that passes every --assert and loses no message, in runs of --duration, starting at --rate [default: 1k]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l no-resumption -d 'Do a full TLS handshake for each connection instead of resuming sessions'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l abort-on-miss -d 'Stop as soon as an interval misses a threshold'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l password-prompt -d 'Prompt for the password on the terminal'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from amqp" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s L -l url -d 'The same as the argument URI' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l scenario -d 'Load scenario, listed below; it sets the defaults of other flags' -r -f -a "request\t''
observe\t''
ping\t''
churn\t''
idle\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l sockets -d 'Number of sockets that send requests; the server sees each as a separate client [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l observers -d 'Number of additional sockets that observe the resource; {client} is then their number [default: the scenario\'s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l method -d 'Method of the requests: get, put, post, delete, fetch, patch or ipatch [default: get]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l mix -d 'Weighted mix of methods, such as get=80,put=20' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l size -d 'Body size in bytes, or a range such as 16-1KiB; full measurement by observers needs at least 24' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s f -l file -d 'Send the content of a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s m -l message -d 'Send this text' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l content-format -d 'Content format of bodies: number, media type or short name' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l accept -d 'Content format to accept' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s O -l option -d 'Add an option, by name or number; the value is text, a number, 0x and hexadecimal digits, or @FILE; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l ack-timeout -d 'ACK_TIMEOUT: time to the first retransmission; it doubles each time' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l max-retransmit -d 'MAX_RETRANSMIT: maximum number of retransmissions' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l ramp -d 'Ramp up linearly from 0 to --rate in this time' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l stage -d 'Load stage: TIME:RATE, TIME:RATE-RATE for a ramp, or RATE until the end; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l arrivals -d 'Distribution of send times: constant, uniform, poisson, devices, bursts:TIME, or recorded:FILE with one gap, or one record with its time, per line' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s d -l duration -d 'Measured time [default: 10s; with --count or --stage, until they are done]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l count -d 'Total number of messages to send' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l warmup -d 'Warm-up time before the measurement, excluded from the figures' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l drain -d 'Wait at most this long for outstanding messages after the last one was sent' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l interval -d 'Interval of the time series and of the live lines' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l threads -d 'Worker threads, 1 to 1024' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l coalesce -d 'Coalesce reads: never, adaptive, or a TIME such as 500us [default: adaptive with --max, else never]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l connect-rate -d 'New connections per second [default: as fast as possible]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l shard -d 'Generate this shard of the load: INDEX/COUNT, from 0 [default: IOTCTL_SHARD; JOB_COMPLETION_INDEX with IOTCTL_SHARDS; SLURM_PROCID with SLURM_NTASKS]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l start-at -d 'Start sending at this time, to synchronize shards: 2026-11-20T21:00:00Z, or seconds since 1970' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l run-id -d 'Identifier of the run, the same for all shards [default: IOTCTL_RUN; SLURM_JOB_ID; without shards, a new one each time]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l clock-error -d 'Maximum clock difference between the shards\' machines; without it shards do not report end-to-end latency; 0 for shards on one machine' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l seed -d 'Random seed, for repeatable runs' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l assert -d 'Threshold, such as \'p99 < 20ms\', on a quantity listed below; exit code 7 if it is not met; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s o -l output -d 'Format of the report on standard output' -r -f -a "text\t''
json\t''
csv\t''
hlog\t''
prometheus\t''
html\t''
markdown\t''
junit\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l save-json -d 'Also write the result to a file, for bench report, compare and merge' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l html -d 'Write an HTML page with plots to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l csv -d 'Write the time series to a CSV file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l hlog -d 'Write the latency distributions to a file, as an HdrHistogram V2 log' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l markdown -d 'Write a Markdown summary to a file' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l junit -d 'Write the threshold results to a file, as JUnit test cases' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l prometheus-listen -d 'Serve Prometheus metrics at http://ADDR:PORT/metrics during the run' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s h -l host -d 'Host name or IP address, for URIs that are only a path [default: localhost]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s p -l port -d 'Port, 1 to 65535 [default: 5683, with DTLS 5684]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l connect-timeout -d 'Give up connecting after this long: name, TCP, TLS, DTLS and WebSocket together [default: 10s]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l context -d 'Context in the configuration file that supplies settings not given here [default: IOTCTL_CONTEXT]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l psk-identity -d 'Identity of the pre-shared key' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l psk -d 'Pre-shared key, for DTLS: text, or bytes as hex:…, 0x… or base64:…; other users of this machine can see it, so prefer --psk-file or IOTCTL_PSK' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l psk-file -d 'File with the pre-shared key, in the same notation; a final line break is ignored' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l cafile -d 'PEM file of certificates to trust instead of the operating system\'s: CA certificates, or the server\'s own; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l capath -d 'Directory of such files; enables TLS' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l cert -d 'PEM file of the client\'s certificate chain' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l key -d 'PEM file of the client\'s unencrypted private key' -r -F
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l tls-server-name -d 'Server name to send (SNI) and to verify, instead of the host' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l tls-alpn -d 'ALPN protocol to offer; may be repeated, in order of preference' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l tls-version -d 'TLS version: 1.2 or 1.3 [default: the highest that both sides support]' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s A -l bind -d 'Local IP addresses to send from, in turn, each with up to 64,000 sockets' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s M -l outstanding -l max-inflight -d 'Maximum number of outstanding requests per socket, 1 to 60000' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l rate -d 'Total request rate per second, sent on schedule whatever the server does: 1000, 10k, 0.5, 30/m' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l think -d 'Pause between a response and the next request, with --max' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s W -l timeout -d 'Time out a request that has no response after this long, and free its slot' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l embedded -d 'Start the embedded server for the run, in its own process, with /bench, /counter, /clock, /sensor and /store; the URI is then only a path [default: /bench]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l calibrate -d 'Load a null peer that only responds, instead of a server, to measure the limit of the generator on this machine'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -s N -l non -d 'Non-confirmable requests, which are not retransmitted'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l find-max -d 'Search for the highest rate that passes every --assert and loses no message, in runs of --duration, starting at --rate [default: 1k]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l no-resumption -d 'Do a full TLS handshake for each connection instead of resuming sessions'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l abort-on-miss -d 'Stop as soon as an interval misses a threshold'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l insecure -d 'Do not verify the server\'s certificate: an attacker in between can read and change everything'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from coap" -l max -d 'Send as fast as --outstanding allows [default without --rate and --stage]'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from run" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from report" -s o -l output -d 'Output format' -r -f -a "text\t''
json\t''
csv\t''
hlog\t''
prometheus\t''
html\t''
markdown\t''
junit\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from report" -l assert -d 'Threshold, such as \'p99 < 20ms\'; exit code 7 if it is not met; may be repeated' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from report" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from report" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from report" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from compare" -l bound -d 'Tolerated regression of a figure, such as 5%; exit code 7 if a larger one is statistically significant' -r
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from compare" -s o -l output -d 'Output format' -r -f -a "text\t''
json\t''
markdown\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from compare" -l color -d 'When to use colour; auto: on a terminal, unless NO_COLOR is set' -r -f -a "auto\t''
always\t''
never\t''"
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from compare" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from compare" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from merge" -s o -l output -d 'Output format; json keeps everything' -r -f -a "text\t''
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
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from merge" -l partial -d 'Merge incomplete sets: shards may be missing or may not have run at the same time'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from merge" -l quiet -d 'Print only results and the error that ended the command'
complete -c iotctl -n "__fish_iotctl_using_subcommand bench; and __fish_seen_subcommand_from merge" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand completions" -l help -d 'Print this page'
complete -c iotctl -n "__fish_iotctl_using_subcommand man" -l help -d 'Print this page'
