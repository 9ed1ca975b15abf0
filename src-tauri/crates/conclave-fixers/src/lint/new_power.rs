//! A network call, a process, an evaluation, a deserialiser or a read of credentials comes with the fix.

use conclave_core::smell::{Smell, SmellKind};

use super::pair::{Counts, Pair, Side, Site};

/// A kind of power and the calls that have it: full names, with `.*` at the end for all members.
struct Power {
    what: &'static str,
    calls: &'static [&'static str],
}

const POWERS: [Power; 5] = [
    Power {
        what: "a network call",
        calls: &[
            "requests.get",
            "requests.post",
            "requests.put",
            "requests.request",
            "requests.head",
            "requests.Session",
            "urllib.request.*",
            "urllib.urlopen",
            "urllib2.urlopen",
            "http.client.*",
            "httplib.*",
            "httpx.*",
            "aiohttp.*",
            "socket.socket",
            "socket.create_connection",
            "smtplib.*",
            "ftplib.*",
            "telnetlib.*",
            "paramiko.*",
            "websocket.*",
            "fetch",
            "axios",
            "axios.*",
            "XMLHttpRequest",
            "WebSocket",
            "EventSource",
            "navigator.sendBeacon",
            "http.get",
            "http.request",
            "https.get",
            "https.request",
            "net.connect",
            "net.createConnection",
            "net.Socket",
            "dns.lookup",
            "dns.resolve",
            "dgram.createSocket",
            "got",
            "node-fetch",
            "request",
            "superagent.*",
            "java.net.URL",
            "java.net.Socket",
            "java.net.http.*",
            "java.net.HttpURLConnection.*",
            "java.net.URL.openStream",
            "java.net.URL.openConnection",
            "java.net.ServerSocket",
            "java.net.DatagramSocket",
        ],
    },
    Power {
        what: "a process",
        calls: &[
            "os.system",
            "os.popen",
            "os.execv",
            "os.execl",
            "os.execvp",
            "os.spawnl",
            "os.spawnv",
            "os.startfile",
            "subprocess.*",
            "asyncio.create_subprocess_shell",
            "asyncio.create_subprocess_exec",
            "pty.spawn",
            "commands.*",
            "multiprocessing.Process",
            "child_process.*",
            "process.kill",
            "java.lang.Runtime.exec",
            "java.lang.ProcessBuilder",
            "java.lang.Runtime.getRuntime",
        ],
    },
    Power {
        what: "an evaluation of code",
        calls: &[
            "eval",
            "exec",
            "compile",
            "builtins.eval",
            "builtins.exec",
            "code.interact",
            "runpy.*",
            "importlib.import_module",
            "__import__",
            "ctypes.*",
            "Function",
            "vm.*",
            "javax.script.*",
            "javax.script.ScriptEngine.eval",
            "groovy.lang.*",
            "java.lang.Class.forName",
            "java.lang.reflect.*",
        ],
    },
    Power {
        what: "a deserialiser",
        calls: &[
            "pickle.load",
            "pickle.loads",
            "pickle.Unpickler",
            "cPickle.*",
            "dill.*",
            "marshal.load",
            "marshal.loads",
            "shelve.open",
            "yaml.load",
            "yaml.unsafe_load",
            "jsonpickle.decode",
            "joblib.load",
            "node-serialize.*",
            "unserialize",
            "v8.deserialize",
            "java.io.ObjectInputStream",
            "java.beans.XMLDecoder",
            "com.thoughtworks.xstream.XStream",
        ],
    },
    Power {
        what: "removal of files or a change of rights",
        calls: &[
            "shutil.rmtree",
            "os.remove",
            "os.unlink",
            "os.rmdir",
            "os.chmod",
            "os.chown",
            "os.setuid",
            "fs.rm",
            "fs.rmSync",
            "fs.unlink",
            "fs.unlinkSync",
            "fs.rmdir",
            "fs.rmdirSync",
            "fs.chmod",
            "fs.chmodSync",
            "fs.promises.rm",
            "fs.promises.unlink",
            "java.nio.file.Files.delete",
            "java.nio.file.Files.deleteIfExists",
        ],
    },
];
/// Where credentials are kept.
const CREDENTIALS: [&str; 21] = [
    "os.environ",
    "os.getenv",
    "process.env",
    "system.getenv",
    ".aws/credentials",
    ".ssh/",
    "id_rsa",
    "id_ed25519",
    ".netrc",
    ".git-credentials",
    ".docker/config",
    ".kube/config",
    "/etc/shadow",
    "/etc/passwd",
    "keyring.get",
    "document.cookie",
    "localstorage",
    "sessionstorage",
    ".npmrc",
    ".pypirc",
    "169.254.169.254",
];
/// Weaknesses whose fix reads a secret from outside of the code.
const WRITTEN_DOWN: [u32; 7] = [259, 321, 522, 798, 312, 540, 547];

pub(super) fn run(pair: &Pair<'_>) -> Vec<Smell> {
    let mut smells = Vec::new();
    for power in &POWERS {
        let (was, is) = (uses(&pair.before, power), uses(&pair.after, power));
        let total = |counts: &Counts| counts.values().sum::<usize>();
        if total(&is) > total(&was) {
            let new = super::pair::gained(&was, &is);
            let name = new.first().map_or("", |(name, _)| name.as_str());
            smells.push(pair.gone(SmellKind::NewPower, &format!("{} is added, `{name}`", power.what)));
        }
    }
    if !pair.is_about(&WRITTEN_DOWN) {
        let reads = |side: &Side<'_>, place: &str| side.code.to_lowercase().matches(place).count();
        let new = CREDENTIALS.iter().find(|place| reads(&pair.after, place) > reads(&pair.before, place));
        smells.extend(new.map(|place| pair.gone(SmellKind::NewPower, &format!("credentials are read, `{place}`"))));
    }
    smells
}

fn uses(side: &Side<'_>, power: &Power) -> Counts {
    let mut counts = Counts::new();
    for site in side.calls.iter().filter(|site| has(site, power)) {
        *counts.entry(site.written.clone()).or_default() += 1;
    }
    counts
}

fn has(site: &Site<'_>, power: &Power) -> bool {
    let matches = |name: &str| {
        power.calls.iter().any(|call| match call.strip_suffix(".*") {
            Some(module) => name.strip_prefix(module).is_some_and(|rest| rest.starts_with('.')),
            None => name == *call,
        })
    };
    // A built-in of Python, a name that nobody declares and one that is written out in full mean themselves.
    let itself = site.full.is_empty() || site.written.starts_with("java");
    site.full.iter().any(|name| matches(name)) || (itself && matches(&site.written))
}
