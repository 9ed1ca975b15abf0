//! What can be done with clients, and with what was learned.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Patterns {
    /// List them, with the fixes that they come from.
    List {
        /// Those of this client of the settings.
        #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
        client: String,
    },
    /// Drop one: it is proposed no more.
    Drop {
        /// Its id.
        id: String,
        /// It is one of this client of the settings.
        #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
        client: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Clients {
    /// List them.
    List,
    /// Make a client. It begins with your settings, without what they say of projects.
    Add {
        /// Its name: small letters, digits and `-`.
        name: String,
    },
    /// Write everything of a client into one archive: database, ledger, settings, what is kept for undo. No key is in it.
    Archive {
        /// The client.
        name: String,
        /// The archive to be written.
        file: PathBuf,
        /// To be handed over: where it is opened it can only be read.
        #[arg(long)]
        hand_over: bool,
    },
    /// Make a client from an archive.
    Open {
        /// The archive.
        file: PathBuf,
        /// What the client is called here.
        name: String,
    },
    /// Remove everything of a client: keys, findings, ledger, what was learned and kept. Its projects stay as they are.
    Erase {
        /// The client.
        name: String,
        /// You mean it: this cannot be taken back.
        #[arg(long)]
        yes: bool,
    },
}
