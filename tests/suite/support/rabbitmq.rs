//! A private RabbitMQ on free loopback ports.
//!
//! Most tests share one, as it takes seconds to start; a test that kills or blocks it starts its own. A watchdog at
//! the end of a pipe stops it when the test process is gone, however it went.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::certificates::Certificates;
use super::ports::free_ports;
use super::wait_for_port;

/// Beyond the core: client certificates, MQTT for the way between the two, and AMQP 1.0.
const PLUGINS: &str = "[rabbitmq_auth_mechanism_ssl,rabbitmq_mqtt,rabbitmq_amqp1_0].";

/// A running RabbitMQ with a plain and a TLS listener, the user `guest` and the virtual host `/`.
pub struct RabbitMq {
    server: Child,
    /// Stops the server when it is closed.
    watchdog: Option<ChildStdin>,
    folder: PathBuf,
    pub port: u16,
    pub tls_port: u16,
    pub mqtt_port: u16,
    epmd_port: u16,
    dist_port: u16,
    pub certificates: Certificates,
}

/// The RabbitMQ that tests share.
pub fn rabbitmq() -> &'static RabbitMq {
    static SHARED: OnceLock<RabbitMq> = OnceLock::new();
    SHARED.get_or_init(RabbitMq::start)
}

/// A name that no other test uses: `orders-7`.
pub fn unique(name: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

impl RabbitMq {
    pub fn start() -> Self {
        // The watchdog removes the folder.
        let folder = TempDir::new().unwrap().keep();
        let certificates = Certificates::in_folder(&folder);
        let [port, tls_port, mqtt_port, epmd_port, dist_port] = free_ports();
        std::fs::write(folder.join("plugins"), PLUGINS).unwrap();
        let config = format!(
            "listeners.tcp.1 = 127.0.0.1:{port}\nlisteners.ssl.1 = 127.0.0.1:{tls_port}\n\
             ssl_options.cacertfile = {}\nssl_options.certfile = {}\nssl_options.keyfile = {}\n\
             ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = false\n\
             auth_mechanisms.1 = PLAIN\nauth_mechanisms.2 = AMQPLAIN\nauth_mechanisms.3 = EXTERNAL\n\
             ssl_cert_login_from = common_name\nloopback_users = none\nlog.console = false\n\
             disk_free_limit.absolute = 50MB\nmqtt.listeners.tcp.1 = 127.0.0.1:{mqtt_port}\n",
            certificates.ca.display(),
            certificates.server.display(),
            certificates.server_key.display(),
        );
        std::fs::write(folder.join("rabbitmq.conf"), config).unwrap();
        std::fs::create_dir_all(folder.join("mnesia")).unwrap();
        std::fs::create_dir_all(folder.join("log")).unwrap();
        let server = launch(&folder, epmd_port, dist_port);
        let watchdog = watch(&server, &folder, epmd_port);
        let this = Self {
            server,
            watchdog: Some(watchdog),
            folder,
            port,
            tls_port,
            mqtt_port,
            epmd_port,
            dist_port,
            certificates,
        };
        wait_for_port(port);
        wait_for_port(tls_port);
        wait_for_port(mqtt_port);
        this
    }

    /// `amqp://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("amqp://127.0.0.1:{}", self.port)
    }

    /// Waits until it has written down what was declared, which it does a moment later than it says so. Without that a
    /// queue may be gone when it was killed.
    pub fn write_down(&self) {
        self.control(&["eval", "mnesia:sync_log()."]);
    }

    /// Kills it without warning.
    pub fn kill(&mut self) {
        kill_group(self.server.id());
        self.server.wait().unwrap();
    }

    /// Starts it again on the same ports, with the data that it had.
    pub fn restart(&mut self) {
        self.watchdog = None;
        self.server = launch(&self.folder, self.epmd_port, self.dist_port);
        self.watchdog = Some(watch(&self.server, &self.folder, self.epmd_port));
        wait_for_port(self.port);
    }

    /// Runs `rabbitmqctl` against it.
    pub fn control(&self, words: &[&str]) {
        let mut command = Command::new("/usr/lib/rabbitmq/bin/rabbitmqctl");
        environment(&mut command, &self.folder, self.epmd_port, self.dist_port);
        let arguments = format!(
            "-start_epmd false -erl_epmd_port {} -dist_listen false",
            self.dist_port
        );
        let done = command
            .env("RABBITMQ_CTL_ERL_ARGS", arguments)
            .args(["-n", &node(self.dist_port)])
            .args(words)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        kill_group(self.server.id());
        let _ = self.server.wait();
        // The port mapper is left to the watchdog.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn kill_group(leader: u32) {
    let _ = Command::new("kill")
        .args(["-KILL", "--", &format!("-{leader}")])
        .stderr(Stdio::null())
        .status();
}

/// A process that waits for the end of its input, then kills the server's group and tidies up.
#[expect(clippy::zombie_processes, reason = "it outlives us")]
fn watch(server: &Child, folder: &Path, epmd_port: u16) -> ChildStdin {
    // The port mapper ends only when it has noticed the end of its node.
    let script = "read line; kill -9 -$1 2>/dev/null; \
                  for try in 1 2 3 4 5 6 7 8 9; do \
                      ERL_EPMD_PORT=$3 epmd -kill 2>&1 | grep -q -e Killed -e Cannot && break; sleep 0.2; \
                  done; \
                  kill -0 $4 2>/dev/null || rm -rf \"$2\"";
    let mut child = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(server.id().to_string())
        .arg(folder)
        .arg(epmd_port.to_string())
        .arg(std::process::id().to_string())
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap()
}

fn node(dist_port: u16) -> String {
    format!("test{dist_port}@localhost")
}

fn environment(command: &mut Command, folder: &Path, epmd_port: u16, dist_port: u16) {
    let path = |name: &str| folder.join(name);
    command
        .env("HOME", folder)
        .env("RABBITMQ_NODENAME", node(dist_port))
        .env("RABBITMQ_DIST_PORT", dist_port.to_string())
        .env("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf"))
        .env("RABBITMQ_ADVANCED_CONFIG_FILE", "/dev/null.none")
        .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
        .env("RABBITMQ_MNESIA_BASE", path("mnesia"))
        .env("RABBITMQ_MNESIA_DIR", path("mnesia/db"))
        .env("RABBITMQ_FEATURE_FLAGS_FILE", path("mnesia/feature_flags"))
        .env("RABBITMQ_LOG_BASE", path("log"))
        .env("RABBITMQ_LOGS", path("log/rabbit.log"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", path("plugins"))
        .env("RABBITMQ_PLUGINS_EXPAND_DIR", path("expand"))
        .env("RABBITMQ_GENERATED_CONFIG_DIR", path("generated"))
        .env("RABBITMQ_SCHEMA_DIR", path("schema"))
        .env("RABBITMQ_PID_FILE", path("pid"))
        // The start script starts a port mapper although the node does not use it; let it be ours alone.
        .env("ERL_EPMD_PORT", epmd_port.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1");
}

fn launch(folder: &Path, epmd_port: u16, dist_port: u16) -> Child {
    // Called directly, as Debian's wrapper changes to a user of its own.
    let program = Path::new("/usr/lib/rabbitmq/bin/rabbitmq-server");
    assert!(
        program.exists(),
        "rabbitmq-server is not installed: tests/run installs what the tests need"
    );
    let said = File::create(folder.join("out")).unwrap();
    let mut command = Command::new(program);
    environment(&mut command, folder, epmd_port, dist_port);
    command
        .env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            format!(
                "-start_epmd false -erl_epmd_port {dist_port} -kernel inet_dist_use_interface {{127,0,0,1}}"
            ),
        )
        .current_dir(folder)
        .process_group(0)
        .stdin(Stdio::null())
        .stderr(said.try_clone().unwrap())
        .stdout(said)
        .spawn()
        .unwrap()
}
