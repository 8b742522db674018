//! The host's end of one cell.

use std::{io, process::Child, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::unix::pipe::{Receiver, Sender},
    time::timeout,
};

use crate::{
    CellError, Ending, Launcher, Limits,
    frame::{ANSWER, Banner, REFUSAL},
    nursery,
};

/// How long the kernel may take to say how a killed process ended.
const BURIAL: Duration = Duration::from_secs(1);

/// One running cell. Dropping it kills it.
#[derive(Debug)]
pub struct Cell {
    limits: Limits,
    pid: u32,
    /// The landlock ABI that the cell reports; absent until its banner was read.
    landlock_abi: Option<u8>,
    /// Absent once it was killed.
    life: Option<Life>,
    /// A question is on its way. Seen at the next question only when the future of the one before was dropped.
    asking: bool,
}

#[derive(Debug)]
struct Life {
    child: Child,
    questions: Sender,
    answers: Receiver,
}

impl Cell {
    /// Takes the cell that the launcher keeps ready, or starts one. Needs a tokio runtime with I/O enabled.
    pub async fn start(launcher: &Launcher) -> Result<Self, CellError> {
        let child = launcher.take().await?;
        let pid = child.id();
        let life = Life::new(child).map_err(CellError::NotStarted)?;
        Ok(Self { limits: launcher.limits(), pid, landlock_abi: None, life: Some(life), asking: false })
    }

    /// Asks one question and waits for its answer, within the limits. On every error but [`CellError::Refused`] and
    /// [`CellError::QuestionTooLong`] the cell is killed. Dropping the future abandons the cell: it is killed at the next use.
    pub async fn ask(&mut self, question: &[u8]) -> Result<Vec<u8>, CellError> {
        let limit = self.limits.question_bytes;
        let length = match u32::try_from(question.len()) {
            Ok(length) if length <= limit => length,
            _ => return Err(CellError::QuestionTooLong { length: question.len(), limit }),
        };
        let abandoned = std::mem::replace(&mut self.asking, true);
        if abandoned {
            self.end();
        }
        let Some(life) = self.life.as_mut() else { return Err(CellError::Ended) };
        let exchange = life.exchange(length, question, self.limits.answer_bytes, &mut self.landlock_abi);
        let outcome = timeout(self.limits.wall, exchange).await.unwrap_or(Err(Fault::Deadline));
        self.asking = false;
        match outcome {
            Ok(answer) => Ok(answer),
            Err(Fault::Refused(code)) => Err(CellError::Refused(code)),
            Err(Fault::Babbled) => self.fail(CellError::Babbled),
            Err(Fault::TooLong) => self.fail(CellError::TooLong { limit: self.limits.answer_bytes }),
            Err(Fault::Deadline) => self.fail(CellError::Deadline),
            Err(Fault::Died) => Err(CellError::Died(self.bury().await)),
        }
    }

    /// Kills the cell and has it reaped. The same happens when it is dropped.
    pub fn kill(mut self) {
        self.end();
    }

    /// The process id, also after the cell has ended.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The landlock ABI in force inside the cell, once it has answered; 0 where the kernel has none.
    pub fn landlock_abi(&self) -> Option<u8> {
        self.landlock_abi
    }

    fn fail(&mut self, error: CellError) -> Result<Vec<u8>, CellError> {
        tracing::warn!(pid = self.pid, %error, "cell killed");
        self.end();
        Err(error)
    }

    fn end(&mut self) {
        if let Some(life) = self.life.take() {
            drop(nursery::bury(life.child));
        }
    }

    /// Ends the cell and learns how it had ended.
    async fn bury(&mut self) -> Ending {
        let Some(mut life) = self.life.take() else { return Ending::Unknown };
        // It closed its pipe, so it is ending by itself; the kernel closes pipes a moment before the status is there.
        for _ in 0..20 {
            match life.child.try_wait() {
                Ok(Some(_)) | Err(_) => break,
                Ok(None) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
        let ending = match timeout(BURIAL, nursery::bury(life.child)).await {
            Ok(Ok(status)) => Ending::from(status),
            _ => Ending::Unknown,
        };
        tracing::warn!(pid = self.pid, %ending, "cell died");
        ending
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        self.end();
    }
}

/// What went wrong in one exchange, before the cell is dealt with.
enum Fault {
    Died,
    Babbled,
    TooLong,
    Deadline,
    Refused(u8),
}

impl From<io::Error> for Fault {
    /// Reading ends early or writing breaks only when the other end of the pipe is closed.
    fn from(_: io::Error) -> Self {
        Self::Died
    }
}

impl Life {
    fn new(mut child: Child) -> io::Result<Self> {
        let pipes = child.stdin.take().zip(child.stdout.take());
        let opened = pipes.ok_or_else(|| io::Error::other("a cell without pipes")).and_then(|(questions, answers)| {
            Ok((Sender::from_owned_fd(questions.into())?, Receiver::from_owned_fd(answers.into())?))
        });
        match opened {
            Ok((questions, answers)) => Ok(Self { child, questions, answers }),
            Err(error) => {
                drop(nursery::bury(child));
                Err(error)
            }
        }
    }

    async fn exchange(
        &mut self,
        length: u32,
        question: &[u8],
        answer_limit: u32,
        landlock_abi: &mut Option<u8>,
    ) -> Result<Vec<u8>, Fault> {
        if landlock_abi.is_none() {
            let mut banner = [0; Banner::LENGTH];
            self.answers.read_exact(&mut banner).await?;
            *landlock_abi = Some(Banner::decode(banner).ok_or(Fault::Babbled)?.landlock_abi);
        }
        self.be_silent()?;
        self.questions.write_all(&length.to_le_bytes()).await?;
        self.questions.write_all(question).await?;
        self.answer(answer_limit).await
    }

    /// Nothing may be in the pipe before a question is asked: it would be taken for the answer.
    fn be_silent(&self) -> Result<(), Fault> {
        match self.answers.try_read(&mut [0]) {
            Ok(0) => Err(Fault::Died),
            Ok(_) => Err(Fault::Babbled),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(_) => Err(Fault::Died),
        }
    }

    async fn answer(&mut self, limit: u32) -> Result<Vec<u8>, Fault> {
        let mut head = [0; 4];
        self.answers.read_exact(&mut head).await?;
        let length = u32::from_le_bytes(head).checked_sub(1).ok_or(Fault::Babbled)?;
        if length > limit {
            return Err(Fault::TooLong);
        }
        match self.answers.read_u8().await? {
            ANSWER => {
                let mut body = vec![0; usize::try_from(length).map_err(|_| Fault::TooLong)?];
                self.answers.read_exact(&mut body).await?;
                Ok(body)
            }
            REFUSAL if length == 1 => Err(Fault::Refused(self.answers.read_u8().await?)),
            _ => Err(Fault::Babbled),
        }
    }
}
