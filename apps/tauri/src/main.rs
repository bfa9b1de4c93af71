//! A window with the page of `page/`. The plugin owns the worker; there is nothing else to do in Rust.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() {
    tauri::Builder::default()
        .plugin(tauri_plugin_ocr_sidecar::init())
        .run(tauri::generate_context!())
        .expect("the window cannot be opened");
}
