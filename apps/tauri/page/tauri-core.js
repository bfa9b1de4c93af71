// A page without a bundler takes Tauri's functions from the window.
export const { Channel, invoke } = window.__TAURI__.core;
