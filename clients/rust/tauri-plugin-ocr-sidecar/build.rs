const COMMANDS: &[&str] = &[
    "attach",
    "state",
    "list_jobs",
    "start",
    "reopen",
    "pause",
    "resume",
    "cancel",
    "inspect",
];

fn main() {
    tauri_plugin::Builder::new(COMMANDS).build();
}
