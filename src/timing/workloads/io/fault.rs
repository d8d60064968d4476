//! What the embedded server can do wrong, on purpose.

/// What a server does wrong, and from when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it does.
    pub kind: FaultKind,
    /// How many requests it answers correctly before that.
    pub after: u64,
}

/// What a server can do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// It stops: it closes all connections without an answer, and accepts no more.
    Stop,
    /// It resets the connection in place of an answer.
    Reset,
    /// It answers with the status 500.
    Status500,
    /// It closes the connection after half of the body.
    ShortBody,
    /// It sends a body of the right length in which a byte is wrong.
    WrongBody,
}

impl FaultKind {
    /// All of them.
    pub const ALL: &[FaultKind] = &[
        FaultKind::Stop,
        FaultKind::Reset,
        FaultKind::Status500,
        FaultKind::ShortBody,
        FaultKind::WrongBody,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Stop => "stop",
            FaultKind::Reset => "reset",
            FaultKind::Status500 => "500",
            FaultKind::ShortBody => "short-body",
            FaultKind::WrongBody => "wrong-body",
        }
    }
}
