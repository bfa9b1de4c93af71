//! Kinds of fields that JSON Schema does not tell well.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// What a host calls a command, to know the answer by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CommandId {
    Number(i64),
    Text(String),
}

impl From<i64> for CommandId {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for CommandId {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Whether to do something to a page; read from `true` and `false` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    Auto,
    On,
    Off,
}

impl From<bool> for Switch {
    fn from(is_on: bool) -> Self {
        if is_on {
            Self::On
        } else {
            Self::Off
        }
    }
}

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Written {
            Auto,
            On,
            Off,
            #[serde(untagged)]
            Flag(bool),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Auto => Self::Auto,
            Written::On => Self::On,
            Written::Off => Self::Off,
            Written::Flag(is_on) => is_on.into(),
        })
    }
}

/// A password. Logs do not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// Passwords by the paths of their files. Logs show the paths alone.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Passwords(pub BTreeMap<String, String>);

impl fmt::Debug for Passwords {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
