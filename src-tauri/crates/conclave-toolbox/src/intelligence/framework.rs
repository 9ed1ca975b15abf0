//! Frameworks and libraries that may be looked up by name, and which of them a project's manifests name.
//!
//! A name that is not in the list may be a client's own and is never looked up. Deliberately absent: reading files; the
//! caller hands in the text of manifests.

/// A framework that everybody knows, perhaps with a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framework {
    name: &'static str,
    version: Option<String>,
}

/// How the framework is called, and the packages by which manifests name it.
const KNOWN: [(&str, &[&str]); 66] = [
    ("aiohttp", &["aiohttp"]),
    ("angular", &["@angular/core"]),
    ("apache commons collections", &["commons-collections", "commons-collections4"]),
    ("apache commons text", &["commons-text"]),
    ("apache shiro", &["shiro-core"]),
    ("apache struts", &["struts2-core"]),
    ("apache tomcat", &["tomcat-embed-core"]),
    ("axios", &["axios"]),
    ("bottle", &["bottle"]),
    ("celery", &["celery"]),
    ("cryptography", &["cryptography"]),
    ("django", &["django"]),
    ("django rest framework", &["djangorestframework"]),
    ("ejs", &["ejs"]),
    ("express", &["express"]),
    ("fastapi", &["fastapi"]),
    ("fastify", &["fastify"]),
    ("flask", &["flask"]),
    ("gson", &["gson"]),
    ("guava", &["guava"]),
    ("handlebars", &["handlebars"]),
    ("hibernate", &["hibernate-core"]),
    ("jackson databind", &["jackson-databind"]),
    ("jetty", &["jetty-server"]),
    ("jinja2", &["jinja2"]),
    ("jsonwebtoken", &["jsonwebtoken"]),
    ("koa", &["koa"]),
    ("lodash", &["lodash"]),
    ("log4j", &["log4j-core", "log4j-api"]),
    ("lxml", &["lxml"]),
    ("micronaut", &["micronaut-core", "micronaut-http-server-netty"]),
    ("mongoose", &["mongoose"]),
    ("mysql connector", &["mysql-connector-python", "mysql-connector-java", "mysql-connector-j"]),
    ("mysql2", &["mysql2"]),
    ("nestjs", &["@nestjs/core"]),
    ("netty", &["netty-all", "netty-handler"]),
    ("next.js", &["next"]),
    ("node-postgres", &["pg"]),
    ("nuxt", &["nuxt"]),
    ("paramiko", &["paramiko"]),
    ("passport", &["passport"]),
    ("pillow", &["pillow"]),
    ("psycopg", &["psycopg", "psycopg2", "psycopg2-binary"]),
    ("pug", &["pug"]),
    ("pyjwt", &["pyjwt"]),
    ("pymongo", &["pymongo"]),
    ("pyramid", &["pyramid"]),
    ("pyyaml", &["pyyaml"]),
    ("quarkus", &["quarkus-core", "quarkus-bom", "quarkus-rest"]),
    ("react", &["react"]),
    ("requests", &["requests"]),
    ("sequelize", &["sequelize"]),
    ("snakeyaml", &["snakeyaml"]),
    ("spring boot", &["spring-boot", "spring-boot-starter-parent", "spring-boot-starter-web"]),
    ("spring framework", &["spring-core", "spring-web", "spring-webmvc"]),
    ("spring security", &["spring-security-core", "spring-security-web", "spring-boot-starter-security"]),
    ("sqlalchemy", &["sqlalchemy"]),
    ("starlette", &["starlette"]),
    ("svelte", &["svelte"]),
    ("thymeleaf", &["thymeleaf"]),
    ("tornado", &["tornado"]),
    ("urllib3", &["urllib3"]),
    ("vue", &["vue"]),
    ("werkzeug", &["werkzeug"]),
    ("ws", &["ws"]),
    ("xstream", &["xstream"]),
];

/// How many lines below an artifact's name its version stands in a `pom.xml`.
const VERSION_WITHIN: usize = 3;

impl Framework {
    /// The framework of this name or package, if it is one that may be looked up. A version that is none is left out.
    pub fn known(name: &str, version: Option<&str>) -> Option<Self> {
        let name = name.to_lowercase().replace('_', "-");
        let (name, _) = KNOWN.iter().find(|(known, packages)| *known == name || packages.contains(&name.as_str()))?;
        Some(Self { name, version: version.and_then(plain_version) })
    }

    /// How it is called.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its version: numbers and dots.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

/// The names of all that may be looked up.
pub(super) fn names() -> Vec<&'static str> {
    KNOWN.iter().map(|(name, _)| *name).collect()
}

/// The frameworks that `manifests` name, each a file name and its text, in the order in which they stand there.
///
/// Names are looked for as words and a version behind them, not as a dependency tree. Manifests that are read are
/// `requirements*.txt`, `pyproject.toml`, `Pipfile`, `setup.cfg`, `package.json`, `pom.xml` and `build.gradle*`.
pub fn of_manifests<'a>(manifests: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Framework> {
    let mut found: Vec<Framework> = Vec::new();
    for (name, text) in manifests {
        let file = name.rsplit('/').next().unwrap_or(name);
        let is_manifest = matches!(file, "pyproject.toml" | "Pipfile" | "setup.cfg" | "package.json" | "pom.xml")
            || file.starts_with("build.gradle")
            || (file.starts_with("requirements") && file.ends_with(".txt"));
        if !is_manifest {
            continue;
        }
        for framework in of_text(text) {
            match found.iter_mut().find(|known| known.name == framework.name) {
                Some(known) => known.version = known.version.take().or(framework.version),
                None => found.push(framework),
            }
        }
    }
    found
}

fn of_text(text: &str) -> Vec<Framework> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if line.trim_start().starts_with(['#', ';']) || line.trim_start().starts_with("//") {
            continue;
        }
        let mut words = words(line);
        // The first known name on a line is meant; what stands behind it may be its version.
        let Some(mut framework) = words.find_map(|word| Framework::known(word, None)) else { continue };
        let below = lines.iter().skip(index + 1).take(VERSION_WITHIN).find(|line| line.contains("<version>"));
        let below = below.filter(|_| line.contains("<artifactId>"));
        framework.version = words.find_map(plain_version).or_else(|| self::words(below?).find_map(plain_version));
        found.push(framework);
    }
    found
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '/' | '.' | '_' | '-');
    line.split(move |c| !is_part(c)).filter(|word| !word.is_empty())
}

/// The numbers and dots at the beginning of `text`: at most four numbers of at most three digits.
fn plain_version(text: &str) -> Option<String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let numbers: Vec<&str> = text
        .split('.')
        .map(|part| part.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default())
        .take_while(|part| (1..=3).contains(&part.len()))
        .take(4)
        .collect();
    (!numbers.is_empty()).then(|| numbers.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_name_frameworks_and_versions() {
        for (file, text, expect) in [
            ("requirements.txt", "# flask==1\nDjango>=4.2,<5\nPyYAML\nacme-core==9.9\n", "django 4.2, pyyaml"),
            ("api/requirements-dev.txt", "psycopg2_binary==2.9.9", "psycopg 2.9.9"),
            ("pyproject.toml", "dependencies = [\n  \"fastapi[all]~=0.110.1\",\n]", "fastapi 0.110.1"),
            (
                "package.json",
                "{\"dependencies\": {\n\"@nestjs/core\": \"^10.0.0\",\n\"express\": \"4.x\",\n\"acme\": \"1\"}}",
                "nestjs 10.0.0, express 4",
            ),
            (
                "pom.xml",
                "<dependency>\n<groupId>org.springframework</groupId>\n<artifactId>spring-core</artifactId>\n\
                 <version>6.1.2</version>\n</dependency>\n<artifactId>gson</artifactId>\n</dependency>",
                "spring framework 6.1.2, gson",
            ),
            (
                "build.gradle",
                "implementation 'org.springframework.boot:spring-boot-starter-web:3.2.0'",
                "spring boot 3.2.0",
            ),
            ("README.md", "flask==3", ""),
            ("requirements.txt", "flask\nflask==3.0.0", "flask 3.0.0"),
        ] {
            let found = of_manifests([(file, text)]);
            let shown =
                |one: &Framework| format!("{} {}", one.name(), one.version().unwrap_or_default()).trim().to_owned();
            assert_eq!(found.iter().map(shown).collect::<Vec<_>>().join(", "), expect, "{text}");
        }
    }

    #[test]
    fn what_is_not_in_the_list_has_no_name_and_what_is_no_version_is_left_out() {
        assert_eq!(Framework::known("acme-billing", Some("1.0")), None);
        for (version, expect) in [
            ("4.2.1", Some("4.2.1")),
            ("v18.2", Some("18.2")),
            ("3.0.0-acme7", Some("3.0.0")),
            ("acme", None),
            ("2026.1", None),
            ("1.2.3.4.5", Some("1.2.3.4")),
            ("", None),
        ] {
            assert_eq!(Framework::known("Flask", Some(version)).and_then(|one| one.version), expect.map(str::to_owned));
        }
        let names = names();
        assert!(names.is_sorted() && names.iter().all(|name| *name == name.to_lowercase()));
    }
}
