//! A folder of a project as a runner sees it: names and texts of the base revision, never of a candidate.

/// One folder.
pub(crate) struct Folder<'a> {
    /// Its path in the project, empty for the project’s own.
    pub at: &'a str,
    /// All files of the project, sorted.
    pub files: &'a [String],
    /// The text of a file of the project.
    pub text: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// Whether something is installed at this path of the project, in a folder that no copy holds.
    pub installed: &'a (dyn Fn(&str) -> bool + Sync),
}

impl Folder<'_> {
    /// The path in the project of what lies at `name` here.
    pub fn path(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}/{name}", self.at) }
    }

    /// Whether a file of this name lies in the folder; `*.sln` stands for any name that ends so.
    pub fn has(&self, name: &str) -> bool {
        match name.strip_prefix('*') {
            Some(end) => self.under().any(|file| !file.contains('/') && file.ends_with(end)),
            None => self.files.binary_search(&self.path(name)).is_ok(),
        }
    }

    /// The text of the file at `name`.
    pub fn text(&self, name: &str) -> Option<String> {
        self.has(name).then(|| (self.text)(&self.path(name)))?
    }

    /// Whether the file at `name` is there and has `part` in it.
    pub fn says(&self, name: &str, part: &str) -> bool {
        self.text(name).is_some_and(|text| text.contains(part))
    }

    /// The files in and beneath the folder, paths from it.
    pub fn under(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter_map(|file| match self.at {
            "" => Some(file.as_str()),
            at => file.strip_prefix(at)?.strip_prefix('/'),
        })
    }

    /// The folder and those above it, nearest first, the project’s own last.
    pub fn upwards(&self) -> impl Iterator<Item = &str> {
        ancestors(self.at)
    }

    /// Where `name`, which is installed in the nearest folder upwards, lies while a step runs.
    pub fn find_installed(&self, name: &str) -> Option<String> {
        let path = |at: &str| if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
        self.upwards().map(path).find(|path| (self.installed)(path)).map(|path| format!("/scratch/{path}"))
    }
}

/// A folder and those above it, nearest first; the last one is empty.
pub(super) fn ancestors(at: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(at), |at| match at.rsplit_once('/') {
        Some((above, _)) => Some(above),
        None => (!at.is_empty()).then_some(""),
    })
}
