//! `iotctl mqtt broker` on a free port.

use super::command::{Line, Running, iotctl, program};

/// A running broker of ours; what it says can be waited for with `hears`.
pub struct Broker {
    pub running: Running,
    pub port: u16,
}

/// A broker on a free port with these further words.
pub fn broker(words: &str) -> Broker {
    started(iotctl("mqtt broker --listen 127.0.0.1:0").words(words))
}

/// The same from a command line made elsewhere; its first listener must be a TCP one.
pub fn started(line: Line) -> Broker {
    let mut running = line.start();
    let url = running.line();
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    Broker { running, port }
}

impl Broker {
    /// Waits until somebody has subscribed to this filter.
    #[track_caller]
    pub fn sees_subscription(&mut self, filter: &str) {
        self.running.hears(&format!(" subscribed to {filter}: "));
    }

    /// `iotctl mqtt COMMAND` on its port.
    pub fn iotctl(&self, words: &str) -> Line {
        let (command, words) = words.split_once(' ').unwrap_or((words, ""));
        let place = format!("-h 127.0.0.1 -p {}", self.port);
        iotctl(&format!("mqtt {command} {place} {words}"))
    }

    /// mosquitto_pub to this broker.
    pub fn pub_line(&self, words: &str) -> Line {
        program("mosquitto_pub", &format!("-h 127.0.0.1 -p {}", self.port)).words(words)
    }

    /// mosquitto_sub at this broker.
    pub fn sub_line(&self, words: &str) -> Line {
        program("mosquitto_sub", &format!("-h 127.0.0.1 -p {}", self.port)).words(words)
    }
}
