//! A window with the page of `apps/ui`. The plugin owns the worker; what is left to do in Rust is files.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod disk;

fn main() {
    tauri::Builder::default()
        .plugin(tauri_plugin_ocr_sidecar::init())
        .invoke_handler(tauri::generate_handler![
            disk::expand,
            disk::results,
            disk::picture,
            disk::open
        ])
        .run(tauri::generate_context!())
        .expect("the window cannot be opened");
}
