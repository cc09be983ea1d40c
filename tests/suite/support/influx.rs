//! A private InfluxDB on a free port.

use std::fs;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::command::program;
use super::ports::free_ports;
use super::wait_for;

/// A running server with a database `home`.
pub struct Influx {
    child: Child,
    _folder: TempDir,
    pub port: u16,
}

impl Influx {
    pub fn start() -> Self {
        // Another process may take a port between our looking for it and the server's taking it.
        (0..5)
            .find_map(|_| Self::try_start())
            .expect("influxd does not start")
    }

    fn try_start() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let [port, backup] = free_ports();
        let place = folder.path().display();
        let config = format!(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:{backup}\"\n\
             [meta]\ndir = \"{place}/meta\"\n\
             [data]\ndir = \"{place}/data\"\nwal-dir = \"{place}/wal\"\n\
             [monitor]\nstore-enabled = false\n\
             [http]\nbind-address = \"127.0.0.1:{port}\"\nlog-enabled = false\n"
        );
        let file = folder.path().join("influxdb.conf");
        fs::write(&file, config).unwrap();
        let mut child = Command::new("influxd")
            .args(["run", "-config"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("influxd is not installed");
        let url = format!("http://127.0.0.1:{port}/ping");
        let answers = wait_for("influxd", || {
            if child.try_wait().unwrap().is_some() {
                return Some(false);
            }
            let pinged = Command::new("curl").args(["-sf", &url]).output().unwrap();
            pinged.status.success().then_some(true)
        });
        let influx = Self {
            child,
            _folder: folder,
            port,
        };
        if answers {
            influx.query("CREATE DATABASE home");
        }
        answers.then_some(influx)
    }

    /// What the server answers to a query, as JSON.
    pub fn query(&self, words: &str) -> String {
        let url = format!("http://127.0.0.1:{}/query?db=home", self.port);
        let ended = program("curl", "-s --data-urlencode")
            .word(format!("q={words}"))
            .word(url)
            .run()
            .exits(0);
        ended.text().to_owned()
    }
}

impl Drop for Influx {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
