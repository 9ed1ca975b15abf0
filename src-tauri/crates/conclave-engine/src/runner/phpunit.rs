//! PHPUnit.

use super::{Place, REPORT, Runner, Step, report, starts, words};

pub(super) const PHPUNIT: Runner = Runner {
    name: "PHPUnit",
    extensions: &["php", "phtml"],
    markers: &["composer.json", "phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml"],
    outermost: false,
    recognise: |folder| {
        let configured = ["phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml"].iter().any(|name| folder.has(name));
        let tests = folder.under().any(|file| file.ends_with("Test.php"));
        (configured || tests).then(|| words(&["vendor/bin/phpunit"]))
    },
    step: |folder, words| {
        let [phpunit, rest @ ..] = words else { return None };
        if !starts(Some(phpunit), "phpunit") {
            return None;
        }
        let Some(program) = folder.find_installed("vendor/bin/phpunit") else {
            return Some(Err("PHPUnit is not installed in `vendor`; install the project\u{2019}s packages".to_owned()));
        };
        let ours = ["--log-junit", REPORT, "--do-not-cache-result"].map(str::to_owned);
        let argv = ["php".to_owned(), program].into_iter().chain(ours).chain(rest.iter().cloned());
        Some(Ok(Step::new(argv).reporting(Place::File, report::junit)))
    },
    build: |_, files| {
        let check = "foreach (array_slice($argv, 1) as $file) { passthru(PHP_BINARY . ' -l ' . escapeshellarg($file), $code); if ($code) exit(1); }";
        let argv = ["php", "-r", check, "--"].map(str::to_owned).into_iter().chain(files.iter().cloned());
        Some(Step::new(argv))
    },
};
