//! Running other programs: with a limit of time, and so that an interrupt ends all of them.
//!
//! Every program started here leads its own process group. An interrupt (ctrl-c, SIGTERM, SIGHUP)
//! therefore reaches us alone; we pass it on to the groups that run and let the stack unwind, so that
//! the private databases are stopped and the temporary folders removed.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

fn running() -> MutexGuard<'static, Vec<Pid>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on an interrupt ends the programs that run, and [`run`] reports it as an error.
pub fn catch_interrupts() -> Result<()> {
    let mut signals =
        Signals::new([SIGINT, SIGTERM, SIGHUP]).context("can't listen for interrupts")?;
    thread::spawn(move || {
        let mut polite = true;
        for _ in &mut signals {
            INTERRUPTED.store(true, Ordering::SeqCst);
            let signal = if polite {
                Signal::SIGTERM
            } else {
                Signal::SIGKILL
            };
            for group in running().iter() {
                end_group(*group, signal);
            }
            polite = false;
        }
    });
    Ok(())
}

/// An error if the run was interrupted; called between steps.
pub fn stop_if_interrupted() -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) {
        bail!("interrupted");
    }
    Ok(())
}

fn end_group(group: Pid, signal: Signal) {
    // A group that has just ended by itself is what we want.
    let _already_gone = killpg(group, signal);
}

/// What became of a program.
pub struct Outcome {
    pub status: ExitStatus,
    /// Its standard output, empty unless it was asked for.
    pub stdout: String,
    pub timed_out: bool,
}

impl Outcome {
    pub fn ok(&self) -> bool {
        self.status.success() && !self.timed_out
    }

    /// For a message: `ended with exit status: 1`, `did not end within its limit`.
    pub fn describe(&self) -> String {
        if self.timed_out {
            "did not end within its limit".to_owned()
        } else {
            format!("ended with {}", self.status)
        }
    }
}

/// What happens to a program's standard output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Shown as it comes.
    Show,
    /// Shown line by line and kept.
    Tee,
    /// Kept only.
    Keep,
}

/// Runs a program to its end, or ends it with its whole group after `limit`.
pub fn run(command: &mut Command, output: Output, limit: Option<Duration>) -> Result<Outcome> {
    stop_if_interrupted()?;
    let name = command.get_program().to_string_lossy().into_owned();
    if output != Output::Show {
        command.stdout(Stdio::piped());
    }
    command.stdin(Stdio::null()).process_group(0);
    let mut child = command
        .spawn()
        .with_context(|| format!("can't start `{name}`"))?;
    let group = group_of(&child);
    running().push(group);
    let reader = child
        .stdout
        .take()
        .map(|pipe| thread::spawn(move || collect(pipe, output)));
    let ended = wait(&mut child, group, limit);
    running().retain(|other| *other != group);
    let (status, timed_out) = ended.with_context(|| format!("lost sight of `{name}`"))?;
    // Nothing that the program left behind may go on, or hold the pipe open.
    end_group(group, Signal::SIGKILL);
    let stdout = reader.map_or_else(String::new, |reader| reader.join().unwrap_or_default());
    stop_if_interrupted()?;
    Ok(Outcome {
        status,
        stdout,
        timed_out,
    })
}

/// Runs a program that must succeed; its output is shown.
pub fn must(command: &mut Command) -> Result<()> {
    let shown = describe(command);
    let outcome = run(command, Output::Show, None)?;
    if !outcome.ok() {
        bail!("`{shown}` {}", outcome.describe());
    }
    Ok(())
}

/// Runs a program that must succeed, and gives back its standard output.
pub fn read(command: &mut Command) -> Result<String> {
    let shown = describe(command);
    let outcome = run(command, Output::Keep, None)?;
    if !outcome.ok() {
        bail!("`{shown}` {}", outcome.describe());
    }
    Ok(outcome.stdout)
}

/// The command line as a person would type it.
pub fn describe(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let _infallible = write!(text, " {}", argument.to_string_lossy());
    }
    text
}

/// The process group a child leads.
pub fn group_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a process id fits an i32"))
}

/// Asks a server that leads its own group to end, waits, and ends it if it doesn't.
pub fn stop(child: &mut Child, signal: Signal) {
    let group = group_of(child);
    end_group(group, signal);
    let until = Instant::now() + GRACE;
    while Instant::now() < until {
        match child.try_wait() {
            Ok(None) => thread::park_timeout(Duration::from_millis(50)),
            Ok(Some(_)) | Err(_) => return,
        }
    }
    end_group(group, Signal::SIGKILL);
    let _ended = child.wait();
}

fn wait(child: &mut Child, group: Pid, limit: Option<Duration>) -> io::Result<(ExitStatus, bool)> {
    let started = Instant::now();
    let mut timed_out = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, timed_out));
        }
        if limit.is_some_and(|limit| started.elapsed() > limit) {
            timed_out = true;
            end_group(group, Signal::SIGTERM);
        }
        if limit.is_some_and(|limit| started.elapsed() > limit + GRACE) {
            end_group(group, Signal::SIGKILL);
        }
        thread::park_timeout(Duration::from_millis(50));
    }
}

fn collect(pipe: impl Read, output: Output) -> String {
    let mut text = String::new();
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let part = String::from_utf8_lossy(&line);
        if output == Output::Tee {
            print!("{part}");
        }
        text.push_str(&part);
        line.clear();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_status_are_reported() {
        let outcome = run(
            Command::new("sh").args(["-c", "echo one; echo two; exit 3"]),
            Output::Keep,
            None,
        )
        .unwrap();
        assert_eq!(outcome.stdout, "one\ntwo\n");
        assert!(!outcome.ok());
        assert!(outcome.describe().contains('3'));
    }

    #[test]
    fn a_program_over_its_limit_is_ended_with_its_children() {
        let started = Instant::now();
        let limit = Some(Duration::from_millis(200));
        let outcome = run(
            Command::new("sh").args(["-c", "sleep 60 & sleep 60"]),
            Output::Keep,
            limit,
        )
        .unwrap();
        assert!(outcome.timed_out && !outcome.ok());
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = must(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(format!("{error:#}").contains("no-such-program-here"));
    }
}
