//! Where log lines go: a bounded queue, and a thread of its own that writes.
//!
//! **The problem.** A pipe whose reader has stopped takes 64 KiB and then blocks whoever writes,
//! together with everybody who waits for the same lock. A terminal stopped by Ctrl-S, a network
//! file system that hangs and a slow log collector do the same. On the threads that answer calls
//! this stops the whole server, its probes and its end included.
//!
//! **The choice.** Callers append to a buffer of bounded size and never wait for the output. One
//! thread takes the buffer and writes it. When the buffer is full, new lines are lost, and counted;
//! the first line after the gap says how many. An output that fails (closed pipe, full disk) is
//! tried again, at most once a second, with the lines that it has not taken, so that nothing is
//! torn or lost while there is room in the buffer.
//!
//! The thread writes to a descriptor of its own, never through [`std::io::stderr`]: the lock of
//! that would be held during a write that blocks.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

use crate::telemetry::Episode;

/// Bytes of lines that wait. At most as many again are being written.
const MAX_BYTES: usize = 4 << 20;
/// Capacity that a buffer keeps while there is little to write.
const KEPT_BYTES: usize = 256 << 10;
/// Bytes that a pipe takes as a whole: lines of several processes on one pipe do not mix (POSIX,
/// `PIPE_BUF`).
const ATOMIC_BYTES: usize = 4096;
/// The pause after a first failure; it doubles up to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// The longest time between two calls of the function that a writer was started with.
const TICK: Duration = Duration::from_secs(10);

/// A handle to the thread that writes log lines. It never blocks, except in [`flush`](Self::flush).
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is something to write.
    filled: Condvar,
    /// Everything is written.
    written: Condvar,
    lost: AtomicU64,
    output: Arc<Episode>,
}

#[derive(Debug, Default)]
struct Queue {
    bytes: Vec<u8>,
    /// Lines lost since the last one that was accepted.
    gap: u64,
    is_writing: bool,
    /// Another output to write to from now on.
    next_output: Option<File>,
}

impl Writer {
    /// Starts the thread. It calls `tick` every ten seconds, unless the output blocks it.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub(crate) fn start(output: File, tick: impl Fn() + Send + 'static) -> io::Result<Self> {
        let shared = Shared {
            queue: Mutex::default(),
            filled: Condvar::new(),
            written: Condvar::new(),
            lost: AtomicU64::new(0),
            output: Arc::new(Episode::new("log output")),
        };
        let shared = Arc::new(shared);
        let thread = shared.clone();
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || run(&thread, output, &tick))?;
        Ok(Self { shared })
    }

    /// Lines lost since the start.
    pub(crate) fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Failures of the output.
    pub(crate) fn output(&self) -> &Arc<Episode> {
        &self.shared.output
    }

    /// Writes to another output from the next lines on.
    pub(crate) fn redirect(&self, output: File) {
        self.shared.lock().next_output = Some(output);
        self.shared.filled.notify_one();
    }

    /// Waits until everything is written, at most `bound`. Returns whether it is.
    pub(crate) fn flush(&self, bound: Duration) -> bool {
        let busy = |queue: &mut Queue| queue.is_writing || !queue.bytes.is_empty();
        let waited = self
            .shared
            .written
            .wait_timeout_while(self.shared.lock(), bound, busy);
        let (queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !queue.is_writing && queue.bytes.is_empty()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic between locking and unlocking leaves whole lines at worst.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> MakeWriter<'a> for Writer {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

/// Takes one line a call, as [`tracing_subscriber::fmt`] writes them. It always succeeds.
impl Write for &Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut queue = self.shared.lock();
        if queue.bytes.len().saturating_add(line.len()) > MAX_BYTES {
            queue.gap += 1;
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
        } else {
            queue.bytes.extend_from_slice(line);
            drop(queue);
            self.shared.filled.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes for ever.
fn run(shared: &Shared, mut output: File, tick: &dyn Fn()) {
    let (mut buffer, mut ticked_at) = (Vec::new(), Instant::now());
    loop {
        let (gap, next_output) = take(shared, &mut buffer);
        output = next_output.unwrap_or(output);
        if gap > 0 {
            // It is the first line after the gap: the buffer was full until now.
            tracing::warn!(
                lost = gap,
                "log lines were lost: the output did not take them in time"
            );
        }
        write_all(&mut output, &buffer, &shared.output);
        buffer.clear();
        buffer.shrink_to(KEPT_BYTES);
        if ticked_at.elapsed() >= TICK {
            ticked_at = Instant::now();
            tick();
        }
        let mut queue = shared.lock();
        queue.is_writing = false;
        if queue.bytes.is_empty() {
            shared.written.notify_all();
        }
    }
}

/// Waits for lines, a gap, another output, or the time to tick, and takes what there is.
fn take(shared: &Shared, buffer: &mut Vec<u8>) -> (u64, Option<File>) {
    let idle =
        |queue: &mut Queue| queue.bytes.is_empty() && queue.gap == 0 && queue.next_output.is_none();
    let waited = shared.filled.wait_timeout_while(shared.lock(), TICK, idle);
    let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
    std::mem::swap(&mut queue.bytes, buffer);
    queue.is_writing = true;
    (std::mem::take(&mut queue.gap), queue.next_output.take())
}

/// Writes everything, however often it fails.
fn write_all(output: &mut impl Write, bytes: &[u8], episode: &Episode) {
    let (mut rest, mut pause) = (bytes, MIN_PAUSE);
    while !rest.is_empty() {
        let written = match output.write(&rest[..whole_lines(rest)]) {
            Ok(0) => Err(ErrorKind::WriteZero.into()),
            written => written,
        };
        match written {
            Ok(count) => {
                rest = &rest[count..];
                pause = MIN_PAUSE;
                episode.succeeded();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                // A descriptor that others have made non-blocking only asks for patience.
                if error.kind() != ErrorKind::WouldBlock {
                    episode.failed(&error);
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
    }
}

/// Length of as many whole lines as a pipe takes at once, or of the first one, if that is longer.
fn whole_lines(bytes: &[u8]) -> usize {
    let is_end = |byte: &u8| *byte == b'\n';
    let first_part = &bytes[..bytes.len().min(ATOMIC_BYTES)];
    let end = first_part
        .iter()
        .rposition(is_end)
        .or_else(|| bytes.iter().position(is_end));
    end.map_or(bytes.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, PipeReader};

    use super::*;

    fn piped() -> (Writer, PipeReader) {
        let (reader, writer) = io::pipe().unwrap();
        (
            Writer::start(File::from(std::os::fd::OwnedFd::from(writer)), || {}).unwrap(),
            reader,
        )
    }

    #[test]
    fn lines_are_written_in_order() {
        let (writer, reader) = piped();
        for number in 0..1000 {
            writeln!(&writer, "line {number}").unwrap();
        }
        let lines: Vec<_> = BufReader::new(reader)
            .lines()
            .take(1000)
            .map(Result::unwrap)
            .collect();
        assert_eq!(
            (lines[0].as_str(), lines[999].as_str()),
            ("line 0", "line 999")
        );
        assert!(writer.flush(Duration::from_mins(1)));
        assert_eq!(writer.lost(), 0);
    }

    #[test]
    fn a_reader_that_stalls_costs_lines_and_never_blocks() {
        let (writer, reader) = piped();
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        // Twice the buffer, what is being written, and the pipe.
        let said = 4 * MAX_BYTES / line.len();
        for _ in 0..said {
            (&writer).write_all(&line).unwrap();
        }
        assert!(writer.lost() > 0);
        assert!(!writer.flush(Duration::ZERO), "nobody reads");
        let lost = usize::try_from(writer.lost()).unwrap();
        let read = BufReader::new(reader)
            .lines()
            .take(said - lost)
            .filter(|line| line.as_ref().unwrap().len() == 1023);
        assert_eq!(read.count(), said - lost);
        assert!(writer.flush(Duration::from_mins(1)));
    }

    #[test]
    fn an_output_that_fails_is_tried_again_with_what_it_did_not_take() {
        /// Takes three bytes a call, and fails every other time.
        struct Bad(Vec<u8>, bool);
        impl Write for Bad {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.1 = !self.1;
                if self.1 {
                    return Err(ErrorKind::StorageFull.into());
                }
                self.0.write(&bytes[..bytes.len().min(3)])
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (mut bad, episode) = (Bad(Vec::new(), false), Episode::new("log output"));
        write_all(&mut bad, b"one\ntwo\nthree\n", &episode);
        assert_eq!(String::from_utf8(bad.0).unwrap(), "one\ntwo\nthree\n");
        assert!(episode.failures() > 3 && !episode.is_failing());
    }

    #[test]
    fn a_pipe_gets_whole_lines() {
        let line = [&[b'x'; 1000][..], b"\n"].concat();
        assert_eq!(whole_lines(&line.repeat(10)), 4 * line.len());
        assert_eq!(
            whole_lines(&[&[b'x'; 9000][..], b"\nmore\n"].concat()),
            9001
        );
        assert_eq!(whole_lines(b"no end"), 6);
    }

    #[test]
    fn another_output_gets_the_lines_from_then_on() {
        let (writer, old) = piped();
        writeln!(&writer, "old").unwrap();
        assert!(writer.flush(Duration::from_mins(1)));
        let (new, output) = io::pipe().unwrap();
        writer.redirect(File::from(std::os::fd::OwnedFd::from(output)));
        writeln!(&writer, "new").unwrap();
        let first_line = |pipe: PipeReader| BufReader::new(pipe).lines().next().unwrap().unwrap();
        assert_eq!(
            (first_line(new), first_line(old)),
            ("new".to_owned(), "old".to_owned())
        );
    }
}
