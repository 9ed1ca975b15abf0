//! Generates the capability files; run from the repository root.
fn main() {
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/**/*")
        .app_manifest(tauri_build::AppManifest::new().commands(&["rpc", "subscribe"]));
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo:error=tauri-build failed: {error:#}");
        std::process::exit(1);
    }
}
