//! Where the reference servers are: installed once, for all tests of all processes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

pub(super) const EVERYTHING: &str = "server-everything";
pub(super) const FILESYSTEM: &str = "server-filesystem";

const HELP: &str = "the real MCP servers run on node: install Node.js 20 or later with npm \
                    (Debian: `apt-get install nodejs npm`)";

/// The program of a server.
pub(super) fn script(server: &str) -> PathBuf {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    let place = PLACE.get_or_init(install);
    place.join("node_modules/@modelcontextprotocol").join(server).join("dist/index.js")
}

/// Installs exactly what the committed lock file names, unless that is there.
fn install() -> PathBuf {
    let wanted = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mcp-servers");
    std::fs::create_dir_all(&place).unwrap();
    // Tests run as processes beside each other: one installs, the others wait.
    let lock = std::fs::File::create(place.join("lock")).unwrap();
    lock.lock().unwrap();
    let locked = std::fs::read(wanted.join("package-lock.json")).unwrap();
    let stamp = place.join("installed.json");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == locked) {
        return place;
    }
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(wanted.join(file), place.join(file)).unwrap();
    }
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"])
        .arg("--prefix")
        .arg(&place)
        .current_dir(&place)
        .output()
        .unwrap_or_else(|error| panic!("npm cannot be started: {error}\n{HELP}"));
    assert!(
        npm.status.success(),
        "npm could not install the servers\n{HELP}\n{}",
        String::from_utf8_lossy(&npm.stderr)
    );
    std::fs::write(&stamp, locked).unwrap();
    place
}
